"""What a row says, in the types that services take."""

from enum import StrEnum
from typing import TypeVar

from portal.rows.processors import RefusedRowError
from portal.tabular.fields import Values

Named = TypeVar("Named", bound=StrEnum)


def text_in(values: Values, name: str) -> str:
    """The text of a field; empty where it is cleared or not in the row."""
    value = values.get(name)
    return "" if value is None else str(value)


def named_in(values: Values, name: str, names: type[Named], *, default: Named) -> Named:
    """One of `names`; the default where it is cleared or not in the row.

    Raises RefusedRowError for any other text.
    """
    text = text_in(values, name)
    if not text:
        return default
    try:
        return names(text)
    except ValueError:
        known = ", ".join(names)
        raise RefusedRowError(f"Invalid value: one of {known} is needed.", field=name) from None
