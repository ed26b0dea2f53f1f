"""All rows of a batch or none: one transaction, which stays only where every row is good.

After a row that failed the others are tried all the same, so that one run finds every bad row.
Where there is one, all is rolled back and the failing rows are written down in short transactions.
Whoever is killed before the commit has done nothing, and the next attempt begins anew.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.db import changed
from portal.rows import ledger
from portal.rows.ahead import one_ahead
from portal.rows.batch import Batch, BatchState, Entry, Outcome
from portal.rows.batch_row import entry_of
from portal.rows.chunk import Hands, hands_for, kept
from portal.rows.desk import Desk
from portal.rows.fates import Fate, Prepared, entries_of, gains_of
from portal.rows.garbage import Sweeper, swept_by_chunk
from portal.rows.portion import Portion
from portal.rows.quick import Quick, portions_of, quick_for
from portal.rows.retrying import settle
from portal.rows.seen import open_seen
from portal.rows.source import AT_ONCE, open_source, portions, prepared
from portal.rows.spool import Spool, Spooled, open_spool
from portal.rows.suspects import Suspects
from portal.rows.undertaking import Undertaking
from portal.tabular.table import Row

ROWS = "Processing rows"
TELLING = "Writing down what failed"
WAITS = "Good as it is now; it waits until every other row is."
_AGAIN = (str(Outcome.FAILED), str(Outcome.SKIPPED))
_Done = tuple[Prepared, Fate]


class _RefusedError(Exception):
    """A row failed: nothing of the transaction may stay."""


def do_whole(desk: Desk, run: Undertaking, suspects: Suspects) -> None:
    """Do all rows of the file, with the edits made to them, or none; the batch is settled then."""
    with open_spool(desk.work.folder) as spool:
        try:
            _try_all(desk, run, suspects, spool)
        except _RefusedError:
            _tell(desk, spool)


def _try_all(desk: Desk, run: Undertaking, suspects: Suspects, spool: Spool) -> None:
    with desk.chunk() as session, open_seen(desk.work.folder) as seen:
        quick = None if desk.batch.counts.processed else quick_for(desk, run, seen, suspects)
        hands = hands_for(desk, run, seen, suspects)
        trial = _Trial(desk=desk, run=run, hands=hands, quick=quick, spool=spool, batch=desk.batch)
        trial.do_file(session)
        if spool.failing:
            raise _RefusedError
        noted = desk.note(
            session,
            **{str(outcome): trial.gains[outcome] for outcome in Outcome},
            next_row=trial.rows + 1,
            total=trial.rows,
            backup_bytes=trial.batch.backup_bytes,
            state=str(BatchState.DONE),
            ended_at=desk.acting().now,
            retry_rows=None,
            retry_next=1,
        )
    desk.batch = noted
    desk.show()


@dataclass(kw_only=True)
class _Trial:
    """How far the one transaction is."""

    desk: Desk
    run: Undertaking
    hands: Hands
    quick: Quick | None
    spool: Spool
    batch: Batch
    rows: int = 0
    gains: Counter[Outcome] = field(default_factory=Counter)

    def do_file(self, session: Session) -> None:
        total, pace = self.desk.batch.counts.total, self.desk.books.pace
        with open_source(self.run.batch.order) as table, swept_by_chunk() as sweeper:
            if self.quick is not None:
                self._load_file(session, self.quick, table.rows, sweeper=sweeper)
                return
            for rows in portions(table.rows, size=pace.rows):
                self.desk.between(ROWS, done=self.rows, total=total, pausable=False)
                self._do_portion(session, rows)
                self.rows += len(rows)
                sweeper.chunk_done()

    def _load_file(
        self, session: Session, loader: Quick, rows: Iterator[Row], *, sweeper: Sweeper
    ) -> None:
        total, books = self.desk.batch.counts.total, self.desk.books

        def between() -> None:
            self.desk.between(ROWS, done=self.rows, total=total, pausable=False)

        size = books.pace.by_column
        made = portions_of(loader, rows, size=size, between=between, sweeper=sweeper)
        one_ahead(made, do=partial(self._load_portion, session, loader), at_once=books.served)

    def _load_portion(self, session: Session, loader: Quick, portion: Portion) -> None:
        rows, done = portion.rows, loader.do(session, portion)
        self.gains += done.gains
        bad = done.failing
        for row, fate in zip(rows.whole(list(bad)), bad.values(), strict=True):
            self.spool.keep(_spooled(row, fate.errors or {}, None))
        done.write(session, self.desk.books.tables, self.batch)
        self.rows += len(rows)

    def _do_portion(self, session: Session, rows: Sequence[Row]) -> None:
        known = _known(session, self.desk, rows[0][0], rows[-1][0])
        todo = _as_edited(rows, known, width=self.batch.width)
        self.gains[Outcome.SKIPPED] += len(rows) - len(todo)
        waiting = list(prepared(iter(todo), self.run.conversion, at_once=AT_ONCE))
        while waiting:
            fates = self.hands.do(session, waiting)
            self._note(session, list(zip(waiting, fates, strict=False)), known)
            del waiting[: len(fates)]

    def _note(self, session: Session, done: Sequence[_Done], known: Mapping[int, Entry]) -> None:
        fates = [fate for _, fate in done]
        self.gains += gains_of(fates)
        backup = kept(self.run, self.batch, fates).get("backup_bytes", self.batch.backup_bytes)
        self.batch = replace(self.batch, backup_bytes=backup)
        good = []
        for row, fate in done:
            if fate.outcome is Outcome.FAILED:
                self.spool.keep(_spooled(row, fate.errors or {}, known.get(row.number)))
                continue
            good.append((row, fate))
            if row.number in known and known[row.number].edited:
                waiting = _spooled(row, {"": [WAITS]}, known[row.number])
                self.spool.keep_waiting(waiting)
        self._write(session, good, known)

    def _write(self, session: Session, good: Sequence[_Done], known: Mapping[int, Entry]) -> None:
        """Entries for good rows; those that failed before keep their entry, cells and edits."""
        tables, batch = self.desk.books.tables, self.batch
        again = [(row, fate) for row, fate in good if row.number in known]
        if again:
            rows, fates = zip(*again, strict=True)
            settle(session, tables, batch, rows, fates)
        for stretch in _stretches([one for one in good if one[0].number not in known]):
            rows, fates = zip(*stretch, strict=True)
            entries = entries_of(rows, fates, batch=batch.number, attempt=batch.attempt)
            ledger.add_entries(session, tables, entries)


def _tell(desk: Desk, spool: Spool) -> None:
    """Write the failing rows into the ledger, in the place of those that failed before."""
    desk.work.progress(stage=TELLING)
    after = 0
    for portion in portions(spool.rows(), size=AT_ONCE):
        _replace(desk, portion, after=after, last=portion[-1].row)
        after = portion[-1].row
    _replace(desk, [], after=after, last=None)
    nothing = {str(o): 0 for o in Outcome if str(o) not in _AGAIN}
    desk.mark(
        **nothing,
        next_row=1,
        state=str(BatchState.REFUSED),
        ended_at=desk.acting().now,
        retry_rows=None,
        retry_next=1,
    )


def _replace(desk: Desk, rows: Sequence[Spooled], *, after: int, last: int | None) -> None:
    """Let `rows` be what failed behind row `after`, up to row `last`."""
    tables, batch = desk.books.tables, desk.batch
    table = tables.row
    old = delete(table).where(
        table.c.batch == batch.number,
        table.c.outcome == str(Outcome.FAILED),
        table.c.first_row > after,
        *([] if last is None else [table.c.first_row <= last]),
    )
    with desk.chunk() as session:
        gone = changed(session, old)
        ledger.add_entries(session, tables, [_entry(batch, row) for row in rows])
        gains = {Outcome.FAILED: len(rows) - gone}
        noted = desk.note(session, token=batch.token, **ledger.counted(tables, gains))
    desk.batch = noted


def _known(session: Session, desk: Desk, first: int, last: int) -> dict[int, Entry]:
    """What an earlier try left of the rows `first` to `last`: failed ones, and skipped ones."""
    table = desk.books.tables.row
    found = session.execute(
        select(table).where(
            table.c.batch == desk.batch.number,
            table.c.first_row.between(first, last),
            table.c.outcome.in_(_AGAIN),
        )
    )
    return {row.first_row: entry_of(row) for row in found}


def _as_edited(rows: Sequence[Row], known: Mapping[int, Entry], *, width: int) -> list[Row]:
    """The rows that are to be done, with what was typed over them."""
    if not known:
        return list(rows)
    return [
        (number, line, known[number].effective(width=width) or cells)
        if number in known
        else (number, line, cells)
        for number, line, cells in rows
        if number not in known or known[number].outcome is not Outcome.SKIPPED
    ]


def _stretches(done: Sequence[_Done]) -> Iterator[list[_Done]]:
    """Rows that follow each other, for only those can be told as a range."""
    numbered = groupby(enumerate(done), key=lambda item: item[1][0].number - item[0])
    for _, stretch in numbered:
        yield [one for _, one in stretch]


def _spooled(row: Prepared, errors: Mapping[str, Sequence[str]], known: Entry | None) -> Spooled:
    cells = row.cells if known is None or known.cells is None else known.cells
    return Spooled(
        row=row.number,
        line=row.line,
        cells=list(cells),
        edited={} if known is None else dict(known.edited),
        errors={name: list(texts) for name, texts in errors.items()},
    )


def _entry(batch: Batch, row: Spooled) -> dict[str, object]:
    return {
        "batch": batch.number,
        "first_row": row.row,
        "last_row": row.row,
        "line": row.line,
        "attempt": batch.attempt,
        "outcome": str(Outcome.FAILED),
        "cells": list(row.cells),
        "edited": dict(row.edited) or None,
        "errors": dict(row.errors),
        "record_key": "",
        "before": None,
        "after": None,
        "after_hash": None,
        "skip_reason": "",
    }
