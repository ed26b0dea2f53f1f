"""Rows put together so that each group takes one statement, told by their places. Pure."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from portal.tabular.fields import Values


def grouped(items: Sequence[Any], group_of: Callable[[Any], Any]) -> dict[Any, list[int]]:
    """The places of `items`, by their group."""
    groups: dict[Any, list[int]] = {}
    for place, item in enumerate(items):
        groups.setdefault(group_of(item), []).append(place)
    return groups


def alike(
    rows: Sequence[Values], *, made_up: Collection[str]
) -> Iterator[tuple[tuple[str, ...], Sequence[int]]]:
    """The places of the rows that give the same columns.

    Those that are `made_up` by the database count as not given where they are empty.
    """
    for columns, places in _by_columns(rows):
        doubtful = [name for name in columns if name in made_up]
        if not any(rows[place][name] is None for name in doubtful for place in places):
            yield columns, places
            continue
        parts = grouped([rows[place] for place in places], lambda row: _given(row, made_up))
        for part, inside in parts.items():
            yield part, [places[place] for place in inside]


def named(
    rows: Sequence[Values], identities: Sequence[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], Sequence[int]]]:
    """The places of the rows that have all of an identity, by the first such identity."""
    left: Sequence[int] = range(len(rows))
    for identity in identities:
        having = left
        for name in identity:
            having = [place for place in having if rows[place].get(name) is not None]
        if having:
            yield identity, having
            left = sorted(set(left).difference(having)) if len(having) < len(left) else []


def turns(places: Sequence[int], keys: Sequence[str]) -> Iterator[list[int]]:
    """The places in as many turns as the most frequent key needs; one turn has no key twice."""
    left = list(zip(places, keys, strict=True))
    while left:
        seen: set[str] = set()
        turn: list[int] = []
        later: list[tuple[int, str]] = []
        for place, key in left:
            if key in seen:
                later.append((place, key))
            else:
                turn.append(place)
                seen.add(key)
        yield turn
        left = later


def _by_columns(rows: Sequence[Values]) -> Iterator[tuple[tuple[str, ...], Sequence[int]]]:
    """Mostly all rows of a file give the same columns."""
    if not rows:
        return
    first = rows[0].keys()
    if all(row.keys() == first for row in rows):
        yield tuple(first), range(len(rows))
        return
    yield from grouped(rows, tuple).items()


def _given(row: Values, made_up: Collection[str]) -> tuple[str, ...]:
    return tuple([name for name, value in row.items() if value is not None or name not in made_up])
