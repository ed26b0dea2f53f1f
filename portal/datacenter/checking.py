"""Reading a file that was sent from its first byte to its last, to see whether it is a table."""

from dataclasses import dataclass
from pathlib import Path

from portal.datacenter.acceptance import RefusedUploadError
from portal.datacenter.names import CSV, extension_of
from portal.errors import InvalidError
from portal.tabular.formats import find_format
from portal.tabular.markers import ERRORS
from portal.tabular.reading import open_table
from portal.tabular.turns import turn

NO_CSV = "Your file contains forbidden characters or has invalid CSV format."
NO_SHEET = "Your file cannot be read as a spreadsheet."


class UnreadableError(RefusedUploadError):
    """The file is no table; the message says where."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a file is: how many rows of data it has, and whether it tells of errors in them."""

    rows: int
    tells_errors: bool


def check_content(path: Path, *, name: str) -> Checked:
    """Read the whole file, whose kind `name` says; raises UnreadableError with the line.

    Raises TableError where too many spreadsheets are being read to begin with another.
    """
    with turn("csv" if _is_text(name) else "sheet"):
        try:
            with open_table(path, find_format(path, name=name).format) as table:
                rows = sum(1 for _number, _line, cells in table.rows if any(cells))
                return Checked(rows=rows, tells_errors=ERRORS in table.header)
        except InvalidError as error:
            lead = NO_CSV if _is_text(name) else NO_SHEET
            raise UnreadableError(f"{lead} {error}") from error


def _is_text(name: str) -> bool:
    return extension_of(name) in (CSV, ".tsv")
