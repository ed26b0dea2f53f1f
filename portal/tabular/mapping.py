"""Which column of a file is which field, proposed with a score and a reason."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from portal.tabular.fields import Field
from portal.tabular.markers import is_no_field
from portal.tabular.similarity import likenesses
from portal.tabular.synonyms import folded, meaning_of

_LETTERS = 120
_ALIKE = 0.75


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The field proposed for a column, or None; how sure it is, from 0 to 1; and why."""

    field: str | None
    score: float
    why: str


@dataclass(frozen=True, kw_only=True)
class _Match:
    column: int
    field: int
    score: float
    why: str


_Columns: TypeAlias = dict[int, str]
_Fields: TypeAlias = dict[int, Field]


def propose(header: Sequence[str], fields: Sequence[Field]) -> list[Proposal]:
    """One proposal for each column of `header`; no field is proposed twice.

    Where two columns fit a field, the better gets it, and of equals the first.
    """
    columns = {n: name.strip() for n, name in enumerate(header) if not is_no_field(name)}
    left = dict(enumerate(fields))
    found: dict[int, Proposal] = {}
    for way in (_same, _alike):
        for match in sorted(way(columns, left), key=lambda m: (-m.score, m.column, m.field)):
            if match.column in columns and match.field in left:
                columns.pop(match.column)
                name = left.pop(match.field).name
                found[match.column] = Proposal(field=name, score=match.score, why=match.why)
    return [found.get(number) or _nothing(name) for number, name in enumerate(header)]


def fingerprint(header: Sequence[str]) -> str:
    """The same text for headers that differ only in case, spaces, accents and signs.

    Columns beginning with `--` do not count, so that a file of failed rows is recognised.
    """
    names = [folded(name) or name.strip() for name in header if not is_no_field(name)]
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


def _nothing(name: str) -> Proposal:
    if is_no_field(name):
        return Proposal(field=None, score=0.0, why="columns beginning with -- are left out")
    return Proposal(field=None, score=0.0, why="no field is called like this")


def _same(columns: _Columns, fields: _Fields) -> Iterator[_Match]:
    """Columns whose header is a name of a field, or means the same as one."""
    for score, why, of_field, of_header in _NAMES:
        owners = defaultdict(list)
        for number, field in fields.items():
            for name in of_field(field):
                owners[name].append(number)
        for column, header in columns.items():
            for number in owners.get(of_header(header), ()):
                yield _Match(column=column, field=number, score=score, why=why)


def _alike(columns: _Columns, fields: _Fields) -> Iterator[_Match]:
    """Columns whose header looks like a name of a field."""
    words = {column: _plain(header) for column, header in columns.items()}
    targets = [
        (_plain(name), number)
        for number, field in fields.items()
        for name in (field.name, field.title, *field.synonyms)
    ]
    for column, number, likeness in likenesses(words, targets):
        score = round(likeness * _ALIKE, 2)
        why = f"looks like {fields[number].name}"
        yield _Match(column=column, field=number, score=score, why=why)


def _meanings(field: Field) -> Iterator[str]:
    for name in (field.name, field.title, *field.synonyms):
        if meaning := meaning_of(_plain(name)):
            yield meaning


def _plain(name: str) -> str:
    return folded(name[:_LETTERS])


def _plains(*names: str) -> list[str]:
    return [plain for name in names if (plain := _plain(name))]


_Names: TypeAlias = Callable[[Field], Iterable[str]]
_NAMES: tuple[tuple[float, str, _Names, Callable[[str], str]], ...] = (
    (1.0, "the field's name", lambda field: [field.name], str),
    (0.97, "the field's name, spelled otherwise", lambda field: _plains(field.name), _plain),
    (0.95, "the field's title", lambda field: _plains(field.title), _plain),
    (0.9, "another name of the field", lambda field: _plains(*field.synonyms), _plain),
    (0.8, "usually means the same", _meanings, lambda header: meaning_of(_plain(header))),
)
