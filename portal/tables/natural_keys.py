"""By which word a row of a table is named in other tables' files. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.tables.shapes import ColumnShape, ForeignKey, Made, TableShape


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A column that names a row of `table`: files say its `word`, the column keeps its `target`."""

    column: str
    table: str
    word: ColumnShape
    target: str

    @property
    def is_plain(self) -> bool:
        """Say whether files say the very value that the column keeps."""
        return self.word.name == self.target


def references_of(shape: TableShape, tables: Mapping[str, TableShape]) -> dict[str, Reference]:
    """The foreign keys of one column each, by that column."""
    found = {}
    for key in shape.foreign_keys:
        target = tables.get(key.table)
        if len(key.columns) == 1 and target is not None:
            column = key.columns[0]
            found[column] = Reference(
                column=column, table=key.table, word=_word(target, key), target=key.targets[0]
            )
    return found


def _word(target: TableShape, key: ForeignKey) -> ColumnShape:
    """What the database makes up says nothing to people; a unique, never empty column does."""
    kept = target.column(key.targets[0])
    if kept.made is Made.BY_NOBODY:
        return kept
    for unique in target.uniques:
        name = unique.columns[0]
        simple = len(unique.columns) == 1 and target.foreign_key_of(name) is None
        if simple and name != kept.name and target.is_strict(unique):
            return target.column(name)
    return kept
