"""The errors that several kinds of spreadsheets share, in words for the person who sent one."""

from portal.tabular.table import TableError

ROWS_AT_MOST = 1_048_576


def damaged(detail: str) -> TableError:
    """Return the error for a file that is broken; `detail` names the part."""
    return TableError(f"The spreadsheet is damaged ({detail}). Open it, save it again, and retry.")


def locked() -> TableError:
    """Return the error for a file that asks for a password."""
    return TableError("The spreadsheet is protected by a password. Save it without one.")


def too_wide(row: int, cell: str, columns: int) -> TableError:
    """Return the error for a cell that stands too far to the right; `cell` names it."""
    message = f"Cell {cell} stands too far to the right; at most {columns:,} columns are read."
    return TableError(message, row)


def too_long() -> TableError:
    """Return the error for a cell that stands too far down."""
    return TableError(f"The sheet is too long; at most {ROWS_AT_MOST:,} rows are read.")
