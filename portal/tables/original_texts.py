"""Refusals in the words of the import tools before Portal (rex.tabular_import). Pure."""

from collections.abc import Sequence

from portal.tables.fields import adapted_to
from portal.tables.shapes import TableShape

WIDTH = "Incorrect number of columns"
_CAUSED = ", Which triggered an error from the database driver: "
_OTHERS = "Got an error from the database driver: "
_DUPLICATE, _EMPTY = "23505", "23502"  # SQLSTATE


def refusal_text(shape: TableShape, *, code: str, columns: Sequence[str], said: str) -> str:
    """What the original says of a row that broke a rule of the table.

    `code` is the SQLSTATE, `columns` those at fault where they are known, `said` the driver's own
    text; empty where the database was not asked.
    """
    what = _what(shape, code, columns)
    if not what:
        return f"{_OTHERS}{said}"
    return f"{what}{_CAUSED}{said}" if said else what


def empty_text(shape: TableShape, column: str) -> str:
    """What the original says of a cell that must not be empty."""
    return refusal_text(shape, code=_EMPTY, columns=(column,), said="")


def adapt_text(shape: TableShape, column: str, value: str) -> str:
    """What the original says of a cell that is no value of its column; empty where it takes all."""
    type_word = adapted_to(shape, column)
    return f"Failed to adapt value of {column} to {type_word}: '{value}'" if type_word else ""


def link_text(table: str, word: str) -> str:
    """What the original says of a word that names no row of `table`."""
    return f"Unable to resolve a link: {table}[{word}]"


def place_of(shape: TableShape, columns: Sequence[str]) -> str:
    """Table and columns as the original calls them: `Trunk . Code`, `Branch . (Trunk, Code)`."""
    titles = ", ".join(_column_title(shape, name) for name in columns)
    return f"{_title(shape.name)} . {titles if len(columns) == 1 else f'({titles})'}"


def _what(shape: TableShape, code: str, columns: Sequence[str]) -> str:
    if code == _DUPLICATE and columns:
        is_key = set(columns) == set(shape.primary_key)
        what = "identity" if is_key else "field value"
        return f"Got a duplicate {what}: {place_of(shape, columns)}"
    if code == _EMPTY and columns:
        return f"Got a blank field value: {place_of(shape, columns)}"
    return ""


def _column_title(shape: TableShape, column: str) -> str:
    """A column that only holds another table's number is called like the link that it is."""
    linked = any(column in key.columns for key in shape.foreign_keys)
    return _title(column.removesuffix("_id") if linked else column)


def _title(name: str) -> str:
    return name.replace("_", " ").title()
