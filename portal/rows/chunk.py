"""The rows of one chunk, done within one transaction."""

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy.orm import Session

from portal.rows.batch import Batch, Outcome
from portal.rows.books import Pace
from portal.rows.budget import Budget
from portal.rows.desk import Desk
from portal.rows.doing import create_all, do_row
from portal.rows.fates import BLANK, HELP, Fate, Prepared, refused
from portal.rows.processors import Mode
from portal.rows.seen import Name, Seen, remember, same_as
from portal.rows.suspects import Suspects
from portal.rows.undertaking import Undertaking
from portal.tabular.fields import Values

CLOSELY = 3


class Hands:
    """What does the rows of a run, one chunk after another.

    `remember(session, before)` tells `seen` what was done before a row; it is called when first
    needed, which is never where the database itself refuses what stands twice in a file.
    """

    def __init__(
        self,
        run: Undertaking,
        *,
        seen: Seen,
        remember: Callable[[Session, int], None],
        pace: Pace,
        suspects: Suspects,
    ) -> None:
        self._run = run
        self._suspects = suspects
        self._seen = seen
        self._remember = remember
        self._pace = pace
        self._remembers = False
        self._closely = 0  # so many chunks are still to be looked at closely

    def do(self, session: Session, rows: Sequence[Prepared]) -> list[Fate]:
        """The fates of `rows`, or of as many of the first as a transaction may take."""
        made = self._create_trustingly(session, rows)
        if made is not None:
            return made
        if not self._remembers:
            self._remember(session, rows[0].number)
            self._remembers = True
        if self._run.many is None:
            return self._one_by_one(session, rows)
        parts = (self._part(session, part) for part in _parts(self._run, rows))
        return [fate for part in parts for fate in part]

    def _create_trustingly(self, session: Session, rows: Sequence[Prepared]) -> list[Fate] | None:
        """The fates of `rows` where the database takes all at once; else None, and nothing done."""
        run = self._run
        self._closely -= 1
        trusted = run.processor.unique and run.mode is Mode.CREATE and not run.dry_run
        if not trusted or self._closely > 0:
            return None
        made = create_all(session, run, [r.values for r in rows if r.values is not None])
        if made is None:
            self._closely = CLOSELY
            return None
        fates = _merged(rows, iter(made))
        if self._remembers:
            names = [_name(run, row.values) for row in rows]
            self._seen.add(_successes(rows, names, fates))
        return fates

    def _one_by_one(self, session: Session, rows: Sequence[Prepared]) -> list[Fate]:
        budget = Budget(session, self._pace)
        fates: list[Fate] = []
        for row in rows:
            fates.append(self._one(session, row))
            if budget.is_spent(len(fates)):
                break
        return fates

    def _one(self, session: Session, row: Prepared) -> Fate:
        if row.values is None:
            return _without_values(row)
        name = self._run.named_by(row.values)
        other = None if name is None else self._seen.row_of(name)
        if other is not None:
            return same_as(self._run, other)
        fate = do_row(session, self._run, row.values)
        if name is not None and fate.outcome is not Outcome.FAILED:
            self._seen.add([(name, row.number)])
        return fate

    def _part(self, session: Session, rows: Sequence[Prepared]) -> list[Fate]:
        """The fates of rows that all name different records."""
        names = [None if r.values is None else self._run.named_by(r.values) for r in rows]
        others = self._seen.rows_of([name for name in names if name is not None])
        todo = [
            row.values
            for row, name in zip(rows, names, strict=True)
            if row.values is not None and not (name is not None and name in others)
        ]
        done = iter(self._suspects.do_rows(session, self._run, todo))
        fates = [
            same_as(self._run, others[name])
            if name is not None and name in others
            else (_without_values(row) if row.values is None else next(done))
            for row, name in zip(rows, names, strict=True)
        ]
        self._seen.add(_successes(rows, names, fates))
        return fates


def hands_for(
    desk: Desk, run: Undertaking, seen: Seen, suspects: Suspects, *, before: int | None = None
) -> Hands:
    """The hands of the process at `desk`.

    What they do must not repeat what rows before row `before` did (None: before the first of
    theirs).
    """

    recall = recalling(desk, run, seen, before=before)
    return Hands(run, seen=seen, remember=recall, pace=desk.books.pace, suspects=suspects)


def recalling(
    desk: Desk, run: Undertaking, seen: Seen, *, before: int | None = None
) -> Callable[[Session, int], None]:
    """What tells `seen` which rows before a row were done; before row `before` where that is given.

    It is called in a transaction, with that row.
    """

    def recall(session: Session, first: int) -> None:
        remember(
            session,
            desk.books.tables,
            run,
            seen,
            before=first if before is None else before,
            checkpoint=desk.work.checkpoint,
        )

    return recall


def kept(run: Undertaking, batch: Batch, fates: Sequence[Fate]) -> dict[str, int]:
    """Keep the records that these fates removed; returns how far the backup goes now."""
    removed = [fate.record for fate in fates if fate.outcome is Outcome.REMOVED and fate.record]
    if run.dry_run or run.keep_removed is None or not removed:
        return {}
    return {"backup_bytes": run.keep_removed(removed, at=batch.backup_bytes)}


def _without_values(row: Prepared) -> Fate:
    if row.is_help:
        return HELP
    return BLANK if row.errors is None else refused(row.errors)


def _merged(rows: Sequence[Prepared], made: Iterator[Fate]) -> list[Fate]:
    return [_without_values(row) if row.values is None else next(made) for row in rows]


def _parts(run: Undertaking, rows: Sequence[Prepared]) -> Iterator[list[Prepared]]:
    """`rows` cut wherever one names what another before it in the same part names."""
    part: list[Prepared] = []
    names: set[Name] = set()
    for row in rows:
        name = _name(run, row.values)
        if name is not None and name in names:
            yield part
            part, names = [], set()
        part.append(row)
        if name is not None:
            names.add(name)
    yield part


def _name(run: Undertaking, values: Values | None) -> Name | None:
    return None if values is None else run.named_by(values)


def _successes(
    rows: Sequence[Prepared], names: Sequence[Name | None], fates: Sequence[Fate]
) -> Iterator[tuple[Name, int]]:
    for row, name, fate in zip(rows, names, fates, strict=True):
        if name is not None and fate.outcome is not Outcome.FAILED and row.values is not None:
            yield name, row.number
