"""Cells that are no values: leave alone, clear, empty; and columns that are no fields."""

from enum import Enum
from typing import Final, TypeAlias

from portal.tabular.cells import CellError
from portal.tabular.fields import Empty, Field, Value

IGNORE: Final = "<IGNORE>"
CLEAR: Final = "XXX"
EMPTY: Final = ("", "[]")
MARKERS: Final = frozenset({IGNORE, CLEAR, *EMPTY})
ERRORS: Final = "--ERRORS--"
REQUIRED: Final = "RequiredMissing: this cannot be left empty"


class Keep(Enum):
    """The one answer of a cell that leaves its value alone."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP
Outcome: TypeAlias = Value | Keep | CellError


def is_no_field(header: str) -> bool:
    """Whether a column of this header is never taken for a field: `--ERRORS--` and its like."""
    return header.strip().startswith("--")


def marker_outcomes(field: Field, *, creating: bool, identity: bool) -> dict[str, Outcome]:
    """What each marker means in the column of `field`.

    A record cannot be made without its required fields, nor found without its `identity`.
    """
    if identity:
        return dict.fromkeys(MARKERS, CellError(REQUIRED))
    missing = field.required and field.default is None
    untouched: Outcome = CellError(REQUIRED) if creating and missing else KEEP
    cleared = _cleared(field)
    empty = {
        Empty.KEEP: untouched,
        Empty.CLEAR: cleared,
        Empty.DEFAULT: cleared if field.default is None else field.default,
    }[field.empty]
    return {IGNORE: untouched, CLEAR: cleared} | dict.fromkeys(EMPTY, empty)


def _cleared(field: Field) -> Outcome:
    if not field.required:
        return None
    return CellError(REQUIRED) if field.default is None else field.default
