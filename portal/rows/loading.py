"""Creating very many records column by column: the quick way of what `chunk` does row by row.

The fates are the same. It is open to processors whose records the database itself keeps apart, and
to files whose rows say all of a record. Rows that may name what a row before them names, and those
that leave something alone, are looked for among the records first; a portion that the database
refuses is done row by row.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from portal.errors import ForbiddenError
from portal.rows import ledger
from portal.rows.batch import Batch, Outcome
from portal.rows.fates import CREATED, Fate, FateRun, entries_of_runs, failed
from portal.rows.faults import fate_of_fault
from portal.rows.kept_rows import KeptRows
from portal.rows.portion import Loading, Portion, PortionMaker, turns_of, values_at
from portal.rows.processors import Mode, RefusedRowError
from portal.rows.refusals import EXISTS
from portal.rows.schema import LedgerTables
from portal.rows.seen import same_as
from portal.rows.suspects import Suspects
from portal.rows.undertaking import Undertaking
from portal.tabular.fields import Values
from portal.tabular.table import Row

CLOSELY = 3
Fates = Mapping[int, Fate]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What became of a portion: `fates` by place are those of the rows not simply created."""

    rows: KeptRows
    fates: Fates

    @property
    def gains(self) -> Counter[Outcome]:
        """How many rows have which outcome."""
        gains = Counter(fate.outcome for fate in self.fates.values())
        gains[Outcome.CREATED] += len(self.rows) - len(self.fates)
        return gains

    @property
    def failing(self) -> Fates:
        """The fates of the rows that failed, by place and in order."""
        places = sorted(n for n, fate in self.fates.items() if fate.outcome is Outcome.FAILED)
        return {place: self.fates[place] for place in places}

    def write(self, session: Session, tables: LedgerTables, batch: Batch) -> None:
        """Tell the ledger."""
        entries = entries_of_runs(self._runs(), batch=batch.number, attempt=batch.attempt)
        ledger.add_entries(session, tables, entries)

    def _runs(self) -> Iterator[FateRun]:
        """Rows of like fate: those in `fates` alone, the others created."""
        rows, start, places = self.rows, 0, sorted(self.fates)
        for place, row in zip(places, rows.whole(places), strict=True):
            if place > start:
                yield rows.bare(start), rows.bare(place - 1), CREATED, b""
            yield row, row, self.fates[place], b""
            start = place + 1
        if start < len(rows):
            yield rows.bare(start), rows.bare(len(rows) - 1), CREATED, b""


class Loader:
    """Does the rows of a run. `portion` makes ready, `do` acts; each may have its own thread."""

    def __init__(self, run: Undertaking, records: Loading, suspects: Suspects) -> None:
        self._run = run
        self._records = records
        self._suspects = suspects
        self._maker = PortionMaker(run, records.ready)
        self._closely = 0  # so many portions are still to be looked at closely

    def portion(self, rows: Iterator[Row], *, size: int) -> Portion | None:
        """The next `size` rows, ready to be done; None at the end."""
        return self._maker.make(rows, size=size)

    def do(self, session: Session, portion: Portion) -> Loaded:
        """Do a portion."""
        done = self._load_all(session, portion) | self._carefully(session, portion)
        others = {place: fate for place, fate in done.items() if fate is not CREATED}
        return Loaded(rows=portion.rows, fates={**portion.told, **others})

    def _load_all(self, session: Session, portion: Portion) -> dict[int, Fate]:
        self._closely -= 1
        places = portion.sure
        if not places:
            return {}
        if self._closely <= 0 and None not in portion.ready:
            refusals = self._load(session, portion.ready)
            if refusals is not None:
                return {places[n]: fate_of_fault(one, self._run) for n, one in refusals.items()}
            self._closely = CLOSELY
        rows = list(values_at(self._run, portion, places).values())
        return dict(zip(places, self._suspects.do_rows(session, self._run, rows), strict=True))

    def _load(self, session: Session, ready: Sequence[Any]) -> Mapping[int, RefusedRowError] | None:
        """What was refused of rows that are loaded; None, and nothing done, where they are not."""
        try:
            with session.begin_nested():
                return self._records.load(session, ready, acting=self._run.acting())
        except ForbiddenError:
            raise
        except Exception as fault:
            fate_of_fault(fault, self._run)  # raises what is no row's fault
            return None

    def _carefully(self, session: Session, portion: Portion) -> dict[int, Fate]:
        """Do rows after looking whether their record is there, in turns without a name twice."""
        fates: dict[int, Fate] = {}
        for turn in turns_of(self._run, values_at(self._run, portion, portion.careful)):
            found = zip(turn.items(), self._find(session, list(turn.values())), strict=True)
            new = {place: row for (place, row), is_there in found if not is_there}
            done = self._suspects.do_rows(session, self._run, list(new.values()))
            fates.update(zip(new, done, strict=True))
            for place in turn.keys() - new.keys():
                other = portion.doubtful.get(place)
                fates[place] = same_as(self._run, other) if other else failed(EXISTS)
        return fates

    def _find(self, session: Session, rows: Sequence[Values]) -> list[bool]:
        """Whether there is a record of each row's name already."""
        named = [n for n, row in enumerate(rows) if self._run.named_by(row) is not None]
        asked = [rows[n] for n in named]
        found = self._records.find_many(session, asked, acting=self._run.acting())
        there = {n for n, record in zip(named, found, strict=True) if record is not None}
        return [n in there for n in range(len(rows))]


def loader_for(run: Undertaking, suspects: Suspects) -> Loader | None:
    """What loads the rows of a run; None where they have to be done another way."""
    records = run.processor.records
    if run.dry_run or run.mode is not Mode.CREATE or not run.processor.unique:
        return None
    given = {*run.conversion.names}
    if not isinstance(records, Loading) or run.identity is None or given != set(run.names):
        return None
    return Loader(run, records, suspects) if records.loads(given) else None
