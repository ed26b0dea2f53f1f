"""Running a batch: chunk by chunk, each one transaction with its records, fates and sum.

The first statement of a chunk is the fence, the last one moves `next_row` on; what a killed
process did not commit never was, and the next attempt goes on where the last commit stands.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from portal.errors import ConflictError, ForbiddenError
from portal.jobs.work import Work
from portal.rows import ledger
from portal.rows.ahead import one_ahead
from portal.rows.batch import SETTLED_STATES, UNDO_STATES, Batch, BatchState
from portal.rows.books import Pace
from portal.rows.chunk import Hands, hands_for, kept
from portal.rows.desk import Desk, PausedError, sit_down
from portal.rows.fates import Prepared, entries_of, gains_of
from portal.rows.garbage import Sweeper, swept_by_chunk
from portal.rows.portion import Portion
from portal.rows.processors import KeepRemoved, Mode, Processor, Processors
from portal.rows.quick import Quick, portions_of, quick_for
from portal.rows.retrying import do_again
from portal.rows.seen import open_seen
from portal.rows.source import check_source, count_rows, open_source, prepared, rows_from
from portal.rows.suspects import SUSPECTS, Suspects
from portal.rows.undertaking import Undertaking, undertake
from portal.rows.whole import do_whole
from portal.tabular.table import Row

READ_AT_ONCE = 500
ROWS = "Processing rows"
PLANNING = "Planning rows"
COUNTING = "Counting rows"


def run_batch(
    work: Work,
    *,
    batch_id: str,
    processors: Processors,
    keep_removed: KeepRemoved | None = None,
    tried_alone: int = SUSPECTS,
    pace: Pace | None = None,
    allow: Callable[[Desk], bool] | None = None,
) -> Batch:
    """Do what is left of a batch, and the retry that was asked for; returns it as it is then.

    It can be called again at any time: rows that have a fate keep it, and of a batch that is done
    only the counts are shown again. One that is all or nothing comes back DONE or REFUSED; PAUSED
    are a paused one and one to which `allow` says no. At most `tried_alone` suspect rows are tried
    one by one for the database's own words. Raises ForbiddenError, ConflictError or InvalidError
    where it may not or cannot be done.
    """
    desk = sit_down(work, batch_id=batch_id, pace=pace)
    if desk.batch.state in UNDO_STATES:
        raise ConflictError("This batch was undone; it cannot go on.")
    if desk.batch.state in SETTLED_STATES:
        desk.show()
        return desk.batch
    with desk.held():
        processor = desk.processor = processors.get(desk.batch.order.processor)
        _check_unbroken(desk.batch, processor)
        run = undertake(desk.batch, processor, acting=desk.acting, keep_removed=keep_removed)
        _check_allowed(run, processors)
        _check_backup(run)
        _begin(desk)
        if allow is not None and not allow(desk):
            raise PausedError
        suspects = Suspects(tried_alone)
        if desk.batch.order.whole and not run.dry_run:
            do_whole(desk, run, suspects)
            return desk.batch
        _do_file(desk, run, suspects)
        if desk.batch.retrying:
            do_again(desk, run, suspects)
        desk.mark(state=str(BatchState.DONE), ended_at=desk.acting().now)
    return desk.batch


def _check_unbroken(batch: Batch, processor: Processor) -> None:
    if batch.state is BatchState.RUNNING and not processor.repeatable:
        raise ConflictError(
            f"A worker died while it did row {batch.next_row:,} or the next ones. They may have "
            "been done in part: look before you let the batch go on."
        )


def _check_allowed(run: Undertaking, processors: Processors) -> None:
    """An upsert that met only new records would ask for the right to create them alone."""
    actor, processor = run.acting().actor, run.processor
    if run.mode is Mode.UPSERT and not processors.allows(actor, processor.name, run.mode):
        raise ForbiddenError(f"You may not both create and update: {processor.title}.")


def _check_backup(run: Undertaking) -> None:
    if run.mode is Mode.REMOVE and not run.dry_run and run.keep_removed is None:
        raise ValueError("a batch that removes needs a place for what it removes")


def _begin(desk: Desk) -> None:
    batch = desk.batch
    check_source(batch.order, checkpoint=desk.work.checkpoint)
    values: dict[str, Any] = {"state": str(BatchState.RUNNING), "ended_at": None}
    if batch.started_at is None:
        values["started_at"] = desk.acting().now
    if batch.counts.total is None:
        desk.work.progress(stage=COUNTING)
        values["total"] = count_rows(batch.order, checkpoint=desk.work.checkpoint)
    desk.mark(**values)


def _do_file(desk: Desk, run: Undertaking, suspects: Suspects) -> None:
    """Do the rows of the file from `next_row` on."""
    total = desk.batch.counts.total
    if total is not None and desk.batch.next_row > total:
        return
    at_once = desk.books.pace.rows
    with (
        open_source(run.batch.order) as table,
        open_seen(desk.work.folder) as seen,
        swept_by_chunk() as sweeper,
    ):
        loader = quick_for(desk, run, seen, suspects)
        if loader is not None:
            _load_file(desk, loader, table.rows, total=total, sweeper=sweeper)
            return
        hands = hands_for(desk, run, seen, suspects)
        rows = rows_from(table, desk.batch.next_row)
        stream = prepared(rows, run.conversion, at_once=min(at_once, READ_AT_ONCE))
        waiting = list(islice(stream, at_once))
        while waiting:
            stage = PLANNING if run.dry_run else ROWS
            desk.between(stage, done=desk.batch.next_row - 1, total=total)
            done = _do_chunk(desk, run, hands, waiting)
            del waiting[:done]
            sweeper.chunk_done()
            waiting += islice(stream, done)
    desk.mark(total=desk.batch.next_row - 1)


def _load_file(
    desk: Desk, loader: Quick, rows: Iterator[Row], *, total: int | None, sweeper: Sweeper
) -> None:
    """Load the rows from `next_row` on; the names of those before are remembered."""
    at_once = desk.books.pace.by_column
    done = islice(rows, desk.batch.next_row - 1)
    while loader.portion(done, size=at_once):
        desk.work.checkpoint()

    def between() -> None:
        desk.between(ROWS, done=desk.batch.next_row - 1, total=total)

    portions = portions_of(loader, rows, size=at_once, between=between, sweeper=sweeper)
    one_ahead(portions, do=partial(_load_portion, desk, loader), at_once=desk.books.served)
    desk.mark(total=desk.batch.next_row - 1)


def _load_portion(desk: Desk, loader: Quick, portion: Portion) -> None:
    batch, tables, rows = desk.batch, desk.books.tables, portion.rows
    with desk.chunk(lasting=False) as session:
        done = loader.do(session, portion)
        done.write(session, tables, batch)
        gains = ledger.counted(tables, done.gains)
        noted = desk.note(session, next_row=rows.number(len(rows)), **gains)
    desk.batch = noted


def _do_chunk(desk: Desk, run: Undertaking, hands: Hands, rows: Sequence[Prepared]) -> int:
    batch, tables = desk.batch, desk.books.tables
    with desk.chunk(lasting=False) as session:
        fates = hands.do(session, rows)
        done = rows[: len(fates)]
        entries = entries_of(done, fates, batch=batch.number, attempt=batch.attempt)
        ledger.add_entries(session, tables, entries)
        noted = desk.note(
            session,
            next_row=done[-1].number + 1,
            **ledger.counted(tables, gains_of(fates)),
            **kept(run, desk.batch, fates),
        )
    desk.batch = noted
    return len(fates)
