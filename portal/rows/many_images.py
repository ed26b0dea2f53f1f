"""Images and hashes of very many records, worked out column by column. Pure.

They say what `images` says of one record, as JSON texts.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from itertools import compress
from typing import Any

from portal.rows.images import HASH_BYTES, image_of, settled
from portal.tabular.fields import Value

Pieces = Sequence[str]  # the JSON of one column's values
_PLAIN = frozenset({str, int, bool, type(None)})


def pieces_of(values: Sequence[Value]) -> Pieces:
    """The JSON of each of a column's values."""
    kinds = set(map(type, values))
    if kinds <= _PLAIN:  # no text has a line's end in it once it is JSON
        return json.dumps(values, separators=("\n", ":"))[1:-1].split("\n") if values else []
    if type(None) in kinds:
        said = iter(pieces_of([value for value in values if value is not None]))
        return ["null" if value is None else next(said) for value in values]
    kind = kinds.pop()
    if kinds or kind not in _WRITERS:
        return [_json(value) for value in values]
    name, write = _WRITERS[kind]
    text = f'"}}\n{{"{name}":"'.join(map(write, values))
    return f'{{"{name}":"{text}"}}'.split("\n")


def settled_pieces(values: Sequence[Value], pieces: Pieces) -> Pieces:
    """The same, equal values in one form; `pieces` are those of `values`."""
    if {Decimal, datetime}.isdisjoint(map(type, values)):
        return pieces
    return pieces_of(list(map(settled, values)))


def images(columns: Mapping[str, Pieces]) -> list[str]:
    """The image of each row, all of its fields given by their JSON, column by column."""
    return list(map(_template(columns).__mod__, zip(*columns.values(), strict=True)))


def images_of_some(columns: Mapping[str, Pieces], given: Mapping[str, Sequence[bool]]) -> list[str]:
    """The image of each row, with those fields that are `given` in it."""
    names = list(columns)
    patterns = list(zip(*(given[name] for name in names), strict=True))
    templates = {pattern: _template(list(compress(names, pattern))) for pattern in set(patterns)}
    if len(templates) == 1:
        (pattern,) = templates
        return images({name: columns[name] for name in compress(names, pattern)})
    rows = zip(*columns.values(), strict=True)
    return [
        templates[pattern] % tuple(compress(row, pattern))
        for row, pattern in zip(rows, patterns, strict=True)
    ]


def hashes(columns: Mapping[str, Pieces]) -> list[bytes]:
    """The hash of each row, all of its fields given by the JSON of settled values."""
    texts = images({name: columns[name] for name in sorted(columns)})
    return [blake2b(text.encode(), digest_size=HASH_BYTES).digest() for text in texts]


def _template(names: Sequence[str] | Mapping[str, Any]) -> str:
    named = (json.dumps(name).replace("%", "%%") + ":%s" for name in names)
    return "{" + ",".join(named) + "}"


def _json(value: Value) -> str:
    return json.dumps(image_of({"": value})[""], sort_keys=True, separators=(",", ":"))


_WRITERS: Mapping[type, tuple[str, Callable[[Any], str]]] = {
    Decimal: ("decimal", str),
    datetime: ("datetime", datetime.isoformat),
    date: ("date", date.isoformat),
}
