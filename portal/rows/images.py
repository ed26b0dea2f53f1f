"""Records as JSON and as hashes, so that a ledger can keep, compare and restore them. Pure."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from portal.tabular.fields import Value, Values

HASH_BYTES = 16
SHORT_BYTES = 8


def image_of(values: Mapping[str, Value]) -> dict[str, Any]:
    """`values` as JSON can hold them; `values_of` brings them back with their types."""
    return {name: _plain(value) for name, value in values.items()}


def values_of(image: Mapping[str, Any]) -> Values:
    """The values that `image_of` made `image` of."""
    return {name: _value(plain) for name, plain in image.items()}


def hash_of(values: Mapping[str, Value]) -> bytes:
    """A hash of all values, whatever their order; equal where the record is as it was."""
    image = {name: _plain(settled(value)) for name, value in values.items()}
    text = json.dumps(image, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest()


def short_hash(values: Mapping[str, Value], names: Iterable[str]) -> bytes:
    """A short hash of the values called `names`, kept for each of very many rows."""
    text = repr([settled(values.get(name)) for name in sorted(names)])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=SHORT_BYTES).digest()


def settled(value: Value) -> Value:
    """Equal values in one form: 1.50 and 1.5, the same instant in two zones."""
    if isinstance(value, Decimal):
        return value.normalize()
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return value


def _plain(value: Value) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case datetime():  # before date: a datetime is a date too
            return {"datetime": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case Decimal():
            return {"decimal": str(value)}
        case tuple():
            return list(value)


def _value(plain: Any) -> Value:
    match plain:
        case {"datetime": str(text)}:
            return datetime.fromisoformat(text)
        case {"date": str(text)}:
            return date.fromisoformat(text)
        case {"decimal": str(text)}:
            return Decimal(text)
        case list():
            return tuple(plain)
        case _:
            value: Value = plain
            return value
