"""The keys of records: of one column its text, of several a JSON list of texts. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from portal.tables.lookups import Column


def joined(cells: Sequence[Any]) -> str:
    """The key of the row whose key columns are `cells`."""
    return str(cells[0]) if len(cells) == 1 else json.dumps([str(cell) for cell in cells])


def key_texts(names: Sequence[str], encoded: Mapping[str, Column]) -> list[str]:
    """The keys of many rows, given column by column."""
    if len(names) == 1:
        return [str(value) for value in encoded[names[0]]]
    return [joined(cells) for cells in zip(*(encoded[name] for name in names), strict=True)]


def split(names: Sequence[str], keys: Sequence[str]) -> list[Column]:
    """The key columns of many rows."""
    if len(names) == 1:
        return [keys]
    parts: Iterable[Column] = zip(*map(json.loads, keys), strict=True)
    return [list(part) for part in parts]
