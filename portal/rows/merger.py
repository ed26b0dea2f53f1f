"""Changing very many records: the quick way of what `chunk` does row by row.

The fates are the same. It is open to the same processors and files as `loading`. Rows that may
name what a row before them names, and those that leave something alone, are done as ever, and so
is a portion that is refused.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from sqlalchemy.orm import Session

from portal.errors import ForbiddenError
from portal.rows.batch import Outcome
from portal.rows.changes import Differing, changes_of
from portal.rows.fates import Fate
from portal.rows.faults import fate_of_fault
from portal.rows.ledger_columns import Lines
from portal.rows.merged import Merged, lines_of
from portal.rows.merging import Done, Merging, Part, UnclearError, merge, together
from portal.rows.portion import Columns, Portion, PortionMaker, turns_of, values_at
from portal.rows.processors import Mode
from portal.rows.seen import Name, Seen, same_as
from portal.rows.suspects import Suspects
from portal.rows.undertaking import Undertaking
from portal.tabular.fields import Values
from portal.tabular.table import Row

CLOSELY = 3
SLOT_BITS = 21  # half as many as for creating: here more is kept of each row
Recall = Callable[[Session, int], None]


class Merger:
    """Does the rows of a run. `portion` makes ready, `do` acts; each may have its own thread.

    `recall` tells `seen` which rows before a row were done; it is called when first needed. With
    `at_once` this process goes on while the database is at work.
    """

    def __init__(
        self,
        run: Undertaking,
        records: Merging,
        suspects: Suspects,
        *,
        seen: Seen,
        recall: Recall,
        at_once: bool,
    ) -> None:
        self._run = run
        self._records = records
        self._suspects = suspects
        self._seen = seen
        self._recall = recall
        self._at_once = at_once
        self._recalled = False
        self._maker = PortionMaker(run, self._part, slot_bits=SLOT_BITS)
        self._closely = 0  # so many portions are still to be looked at closely

    def portion(self, rows: Iterator[Row], *, size: int) -> Portion | None:
        """The next rows, at most `size`, ready to be done; None at the end.

        It is a quarter of that, for values are kept besides what is packed.
        """
        return self._maker.make(rows, size=(size + 3) // 4)

    def do(self, session: Session, portion: Portion) -> Merged:
        """Do a portion."""
        if portion.doubtful and not self._recalled:
            self._recall(session, portion.rows.number(0))
            self._recalled = True
        done, sure = self._merge_all(session, portion), portion.sure
        fates = dict(portion.told)
        fates.update(zip(sure, done.fates, strict=True))
        fates.update(self._carefully(session, portion))
        return Merged(
            rows=portion.rows,
            fates=[fates[place] for place in range(len(portion.rows))],
            changed=done.changed,
        )

    def _part(self, columns: Columns) -> Part | None:
        mergeable = self._records.mergeable(columns)
        return None if mergeable is None else Part(columns=columns, mergeable=mergeable)

    def _merge_all(self, session: Session, portion: Portion) -> Done:
        self._closely -= 1
        if not portion.sure:
            return Done(fates=())
        parts = [part for part in portion.ready if part is not None]
        if self._closely <= 0 and len(parts) == len(portion.ready):
            done = self._merge(session, portion, parts)
            if done is not None:
                self._note_all(portion, parts, done.fates)
                return done
            self._closely = CLOSELY
        rows = values_at(self._run, portion, portion.sure)
        return Done(fates=list(self._as_ever(session, portion, rows).values()))

    def _merge(self, session: Session, portion: Portion, parts: Sequence[Part]) -> Done | None:
        """What became of rows that were merged; None, and nothing done, where they were not."""
        try:
            with session.begin_nested():
                return merge(
                    session,
                    self._run,
                    self._records,
                    parts,
                    tell=partial(self._tell, portion),
                    at_once=self._at_once,
                )
        except ForbiddenError:
            raise
        except UnclearError:
            return None
        except Exception as fault:
            fate_of_fault(fault, self._run)  # raises what is no row's fault
            return None

    def _tell(self, portion: Portion, changed: Differing) -> Lines:
        """What the ledger is told of changed records, packed where a server takes it."""
        places = [portion.sure[place] for place in changed.held.places]
        changes = changes_of(changed)
        lines = lines_of(portion.rows, places, changes, batch=self._run.batch)
        if self._at_once:
            _ = lines.packed
        return lines

    def _carefully(self, session: Session, portion: Portion) -> dict[int, Fate]:
        """Do rows of which some may name what another before them names."""
        fates: dict[int, Fate] = {}
        for turn in turns_of(self._run, values_at(self._run, portion, portion.careful)):
            names = {place: self._run.named_by(values) for place, values in turn.items()}
            others = self._others(names[place] for place in turn if place in portion.doubtful)
            again = {at: others[name] for at, name in names.items() if name in others}
            fates.update((place, same_as(self._run, other)) for place, other in again.items())
            rest = {place: values for place, values in turn.items() if place not in again}
            fates.update(self._as_ever(session, portion, rest))
        return fates

    def _others(self, names: Iterator[Name | None]) -> dict[Name | None, int]:
        """The rows that did what these names stand for."""
        found = self._seen.rows_of([name for name in names if name is not None])
        return dict(found.items())

    def _as_ever(
        self, session: Session, portion: Portion, rows: Mapping[int, Values]
    ) -> dict[int, Fate]:
        done = self._suspects.do_rows(session, self._run, list(rows.values()))
        named = [self._run.named_by(values) for values in rows.values()]
        self._note(portion, list(rows), named, done)
        return dict(zip(rows, done, strict=True))

    def _note_all(self, portion: Portion, parts: Sequence[Part], fates: Sequence[Fate]) -> None:
        if self._recalled:
            columns = together(parts)
            names = zip(*(columns[name] for name in self._run.identity or ()), strict=True)
            self._note(portion, portion.sure, list(names), fates)

    def _note(
        self,
        portion: Portion,
        places: Sequence[int],
        names: Sequence[Name | None],
        fates: Sequence[Fate],
    ) -> None:
        """Tell `seen` what was done, once it knows what was done before."""
        if not self._recalled:
            return
        found = zip(places, names, fates, strict=True)
        self._seen.add(
            (name, portion.rows.number(place))
            for place, name, fate in found
            if name is not None and fate.outcome is not Outcome.FAILED
        )


def merger_for(
    run: Undertaking, suspects: Suspects, *, seen: Seen, recall: Recall, at_once: bool
) -> Merger | None:
    """What changes the records of a run; None where it has to be done another way."""
    records, identity = run.processor.records, run.identity
    if run.dry_run or run.mode not in (Mode.UPDATE, Mode.UPSERT) or not run.processor.unique:
        return None
    given = {*run.conversion.names}
    if not isinstance(records, Merging) or identity is None or given != set(run.names):
        return None
    if not records.merges(given, identity=identity):
        return None
    return Merger(run, records, suspects, seen=seen, recall=recall, at_once=at_once)
