"""The text of a value, written so that its converter makes the same value of it again."""

import json
from datetime import date, datetime
from decimal import Decimal

from portal.tabular.fields import Value


def text_of(value: Value, *, missing: str = "") -> str:
    """The text of `value`; `missing` for none, which the marker XXX would set again on reading.

    Yes is 1 and no is 0; numbers have no exponent; days and moments are ISO; lists are JSON.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return missing
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
