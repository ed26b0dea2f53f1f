"""Rows of a table found and changed column by column."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from sqlalchemy.orm import Session

from portal.rows.changes import Held
from portal.rows.processors import Acting, Mode, RefusedRowError
from portal.tables.encoding import Encoded
from portal.tables.keys import key_texts, split
from portal.tables.loading import LoadedRecords
from portal.tables.lookups import Column, Question


@dataclass(frozen=True, kw_only=True)
class Mergeable:
    """So many rows of the columns `names`, `packed` where all words of other tables are known.

    Else `rest` has them column by column; `counted` are the columns that the database counts.
    """

    rows: int
    names: Sequence[str]
    packed: Any | None
    rest: Encoded
    counted: Mapping[str, Column]


class MergedRecords(LoadedRecords):
    """The records of a table, for very large files that change them, too."""

    def merges(self, names: Collection[str], *, identity: Sequence[str]) -> bool:
        """Say whether rows of these fields can be merged: words of other tables may name none."""
        return self.loads(names) and not self._layout.references.keys() & set(identity)

    def mergeable(self, columns: Mapping[str, Column]) -> Mergeable | None:
        """The columns as they are stored, as far as that is known without the database."""
        if any(None in columns[name] for name in self._made_up):
            return None
        plain = self._encoder.encode_plain(columns)
        known, lost = self._encoder.refer_to_known(self._referring(plain), known=self._words)
        return Mergeable(
            rows=len(next(iter(columns.values()))),
            names=list(plain),
            packed=None if lost else self._rows.pack(list((plain | known).values())),
            rest=plain if lost else {},
            counted={name: columns[name] for name in self._counters & plain.keys()},
        )

    def held(self, session: Session, asked: Mapping[str, Column], *, acting: Acting) -> Held:
        """The rows with these values in the columns that name them, locked."""
        self._guard(acting, None)
        shape, width = self._layout.shape, len(self._keys)
        question = Question(
            table=shape.name,
            match=tuple(shape.column(name) for name in asked),
            asked=list(self._encoder.encode_plain(asked).values()),
            chosen=self._layout.chosen,
            joins=self._layout.joins,
            lock=True,
        )
        found = self._rows.look_up(session, question)
        names = self._layout.names
        columns = list(zip(*found, strict=True)) if found else [()] * (1 + width + len(names))
        keys = dict(zip(self._keys, columns[1 : 1 + width], strict=True))
        return Held(
            places=columns[0],
            keys=key_texts(self._keys, keys),
            values=self._decoded(dict(zip(names, columns[1 + width :], strict=True))),
        )

    def settle(
        self, session: Session, parts: Sequence[Mergeable]
    ) -> tuple[Sequence[Mergeable], Mapping[int, RefusedRowError]]:
        """All of them packed, and those with a word that names nothing by place."""
        settled: list[Mergeable] = []
        refused: dict[int, RefusedRowError] = {}
        start = 0
        for part in parts:
            done, unknown = self._settled(session, part)
            settled.append(done)
            refused.update((start + place, refusal) for place, refusal in unknown.items())
            start += part.rows
        return settled, refused

    def add(
        self,
        session: Session,
        settled: Sequence[Mergeable],
        places: Sequence[int],
        *,
        acting: Acting,
    ) -> None:
        """Add the rows at `places`."""
        self._guard(acting, Mode.CREATE)
        for name in settled[0].counted:
            column = list(chain.from_iterable(part.counted[name] for part in settled))
            self._count_on(session, name, [column[place] for place in places])
        self._rows.insert(session, settled[0].names, list(self._some(settled, places)))

    def change(
        self,
        session: Session,
        keys: Sequence[str],
        columns: Mapping[str, Column],
        *,
        acting: Acting,
    ) -> None:
        """Give the rows with these keys the values in `columns`."""
        self._guard(acting, Mode.UPDATE)
        plain = self._encoder.encode_plain(columns)
        found, refused = self._encoder.refer(session, self._referring(plain), known=self._words)
        for refusal in refused.values():
            raise refusal
        values = list((plain | found).values())
        self._rows.update(session, split(self._keys, keys), list(columns), values)

    def _settled(
        self, session: Session, part: Mergeable
    ) -> tuple[Mergeable, Mapping[int, RefusedRowError]]:
        if part.packed is not None:
            return part, {}
        referring = self._referring(part.rest)
        found, refused = self._encoder.refer(session, referring, known=self._words)
        packed = self._rows.pack(list((part.rest | found).values()))
        return replace(part, packed=packed, rest={}), refused

    def _decoded(self, values: dict[str, Column]) -> Mapping[str, Column]:
        for name, decode in self._decoders:
            values[name] = [cell if cell is None else decode(cell) for cell in values[name]]
        return values

    def _some(self, settled: Sequence[Mergeable], places: Sequence[int]) -> Iterator[Any]:
        """What is packed of the rows at `places`."""
        taken = bytearray(sum(part.rows for part in settled))
        for place in places:
            taken[place] = 1
        start = 0
        for part in settled:
            some = taken[start : start + part.rows]
            yield self._rows.some(part.packed, some) if 0 in some else part.packed
            start += part.rows
