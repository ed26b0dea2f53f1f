"""The words of imports for what the room of rows calls otherwise. Pure."""

from enum import StrEnum

from portal.rows.processors import Mode
from portal.tables.processors import PREFIX

KIND = "imports"
ENDINGS = (".csv", ".tsv", ".xls", ".xlsx", ".ods")
MISSING = "The expected file is not there: {path}"


class ImportMode(StrEnum):
    """What an import does with the rows of its file."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"

    @property
    def rows_mode(self) -> Mode:
        """The same as batches call it."""
        return _MODES[self]

    @classmethod
    def of(cls, mode: Mode) -> "ImportMode":
        """What imports call the mode of a batch."""
        return _WORDS[mode]


_MODES = {
    ImportMode.INSERT: Mode.CREATE,
    ImportMode.UPDATE: Mode.UPDATE,
    ImportMode.UPSERT: Mode.UPSERT,
    ImportMode.DELETE: Mode.REMOVE,
}
_WORDS = {mode: word for word, mode in _MODES.items()}


def processor_of(table: str) -> str:
    """The processor for rows of `table`."""
    return f"{PREFIX}{table}"


def table_of(processor: str) -> str:
    """The table whose processor that is."""
    return processor.removeprefix(PREFIX)
