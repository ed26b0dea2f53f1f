"""Rows that change records or make those that are not there yet, column by column."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any, Protocol, runtime_checkable

from sqlalchemy.orm import Session

from portal.rows.ahead import beside
from portal.rows.changes import Differing, Held, differing
from portal.rows.deciding import Action, decide
from portal.rows.doing import without_effect
from portal.rows.fates import CREATED, UNCHANGED, Fate
from portal.rows.faults import fate_of_fault
from portal.rows.ledger_columns import Lines
from portal.rows.merged import CHANGED
from portal.rows.portion import Columns, Loading
from portal.rows.processors import Acting, Mode, RefusedRowError
from portal.rows.undertaking import Undertaking

Refusals = Mapping[int, RefusedRowError]
Tell = Callable[[Differing], Lines]


@runtime_checkable
class Merging(Loading, Protocol):
    """Records that are also found and changed column by column."""

    def merges(self, names: Collection[str], *, identity: Sequence[str]) -> bool:
        """Whether that can be done with rows that give these fields and name records so."""
        ...

    def mergeable(self, columns: Columns) -> Any | None:
        """Some rows, given column by column, as `settle` takes them; None where it cannot."""
        ...

    def held(self, session: Session, asked: Columns, *, acting: Acting) -> Held:
        """The records with these values in the fields that name them.

        Nobody else changes them before the commit.
        """
        ...

    def settle(self, session: Session, parts: Sequence[Any]) -> tuple[Any, Refusals]:
        """All that is mergeable put together, and what is refused of it by place."""
        ...

    def add(self, session: Session, settled: Any, places: Sequence[int], *, acting: Acting) -> None:
        """Create a record for each row at `places`, which are in order."""
        ...

    def change(
        self,
        session: Session,
        keys: Sequence[str],
        columns: Columns,
        *,
        acting: Acting,
    ) -> None:
        """Give the records with these keys values of some fields; `settle` refused none."""
        ...


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some rows: their values, and what the records make of them."""

    columns: Columns
    mergeable: Any


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of rows, and what is told of those that changed a record."""

    fates: Sequence[Fate]
    changed: Lines | None = None


class UnclearError(Exception):
    """Rows that seem to be of different records are not."""


def together(parts: Sequence[Part]) -> Columns:
    """The values of all rows."""
    names = parts[0].columns
    return {name: list(chain.from_iterable(part.columns[name] for part in parts)) for name in names}


def merge(
    session: Session,
    run: Undertaking,
    records: Merging,
    parts: Sequence[Part],
    *,
    tell: Tell,
    at_once: bool,
) -> Done:
    """Do rows that all name different records; raises what the records or the database raise.

    `tell` says what the ledger keeps; `at_once`: while the database is written to. Raises
    UnclearError where it turns out that they do not.
    """
    columns = together(parts)
    identity = run.identity or ()
    asked = {name: columns[name] for name in identity}
    held = records.held(session, asked, acting=run.acting())
    if len(set(held.keys)) < len(held.keys) or len(set(held.places)) < len(held.places):
        raise UnclearError
    fates = [UNCHANGED] * len(columns[identity[0]])
    for place, fate in _without_record(run, columns, held, len(fates)):
        fates[place] = fate
    settled, refusals = records.settle(session, [part.mergeable for part in parts])
    said = {name: _at(values, held.places) for name, values in columns.items()}
    changed = differing(held, said, identity=identity)
    differs = set(changed.held.places)
    for place, refusal in refusals.items():
        if fates[place] is CREATED or place in differs:
            fates[place] = fate_of_fault(refusal, run)
    changed = changed.but(refusals)
    write = partial(_write, session, run, records, settled, fates=fates, changed=changed)
    lines = beside(partial(tell, changed), write, at_once=at_once)
    for place in changed.held.places:
        fates[place] = CHANGED
    return Done(fates=fates, changed=lines)


def _without_record(
    run: Undertaking, columns: Columns, held: Held, count: int
) -> list[tuple[int, Fate]]:
    """The fates of rows whose record is not there: mostly it is to be made."""
    there = set(held.places)
    new = [place for place in range(count) if place not in there]
    if run.mode is Mode.UPSERT and not any(None in columns[name] for name in run.needed):
        return [(place, CREATED) for place in new]
    fates = []
    for place in new:
        values = {name: column[place] for name, column in columns.items()}
        decision = decide(run.mode, None, values, identity=(), needed=run.needed)
        creates = decision.action is Action.CREATE
        fates.append((place, CREATED if creates else without_effect(decision)))
    return fates


def _write(
    session: Session,
    run: Undertaking,
    records: Merging,
    settled: Any,
    *,
    fates: Sequence[Fate],
    changed: Differing,
) -> None:
    new = [place for place, fate in enumerate(fates) if fate is CREATED]
    if new:
        records.add(session, settled, new, acting=run.acting())
    if changed.held.places:
        columns = {name: changed.said[name] for name in changed.names}
        records.change(session, changed.held.keys, columns, acting=run.acting())


def _at(values: Sequence[Any], places: Sequence[int]) -> Sequence[Any]:
    if len(places) < 2:
        return [values[place] for place in places]
    found: Sequence[Any] = itemgetter(*places)(values)
    return found
