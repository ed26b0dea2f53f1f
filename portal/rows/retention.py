"""What batches keep for a time only: cells, edits, errors and images. Counts and fates stay."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, null, or_, select, update
from sqlalchemy.orm import Session

from portal.db import changed
from portal.rows import ledger
from portal.rows.batch import Batch, BatchState
from portal.rows.batch_row import batch_of
from portal.rows.books import Books, open_books
from portal.rows.models import PORTAL_LEDGER
from portal.runtime import Runtime

AT_ONCE = 400
BATCHES_AT_ONCE = 50
_OVER = (
    BatchState.DONE,
    BatchState.REFUSED,
    BatchState.CANCELLED,
    BatchState.STOPPED,
    BatchState.UNDONE,
)


def forget_rows(runtime: Runtime) -> int:
    """Forget what the rows of batches were that ended long enough ago; returns how many batches.

    Afterwards they cannot be undone or done again. A round has a limit, the next one goes on.
    """
    before = runtime.clock() - timedelta(days=runtime.settings.rows_days)
    with runtime.reads() as session:
        table = PORTAL_LEDGER.batch
        found = session.execute(
            select(table)
            .where(
                table.c.state.in_([str(state) for state in _OVER]),
                table.c.ended_at < before,
                table.c.forgotten_at.is_(None),
            )
            .order_by(table.c.ended_at)
            .limit(BATCHES_AT_ONCE)
        ).all()
    batches = [batch_of(row) for row in found]
    return sum(forget_batch(runtime, batch, now=runtime.clock()) for batch in batches)


def batches_of_person(session: Session, *, user_id: int) -> list[Batch]:
    """The batches that this person asked for and whose rows are kept still, the oldest first."""
    table = PORTAL_LEDGER.batch
    its = (table.c.actor_id == user_id, table.c.forgotten_at.is_(None))
    return [batch_of(row) for row in session.execute(select(table).where(*its).order_by("number"))]


def is_over(batch: Batch) -> bool:
    """Whether nobody works on the batch, or is to go on with it, so that it may be forgotten."""
    return batch.state in _OVER


def forget_batch(runtime: Runtime, batch: Batch, *, now: datetime) -> bool:
    """Forget the rows of one batch; False where somebody works on it again."""
    books = open_books(runtime, batch.store)
    copy = _mark(books, batch, now)
    if copy is None:
        return False
    if books.tables is not PORTAL_LEDGER:
        with runtime.sessions.begin() as session:
            ledger.mirror(session, PORTAL_LEDGER, copy)
    while _forget_some(books, copy):
        pass
    return True


def _mark(books: Books, batch: Batch, now: datetime) -> Batch | None:
    """First of all nobody may undo it or do rows again: half of it would be missing."""
    table = books.tables.batch
    with books.write() as session:
        marked = (
            update(table)
            .where(
                table.c.id == batch.id,
                table.c.state == str(batch.state),
                table.c.token == batch.token,
            )
            .values(forgotten_at=now)
            .returning(table)
        )
        row = session.execute(marked).one_or_none()
    return None if row is None else batch_of(row)


def _forget_some(books: Books, batch: Batch) -> bool:
    """Forget some rows in a short transaction; False where there are none left."""
    with books.write() as session:
        return _forget_entries(session, books, batch) or _forget_kept(session, books, batch)


def _forget_entries(session: Session, books: Books, batch: Batch) -> bool:
    table = books.tables.row
    columns = [table.c[name] for name in ("cells", "edited", "errors", "before", "after")]
    told = or_(*(column.is_not(None) for column in (*columns, table.c.after_hash)))
    its: tuple[ColumnElement[bool], ...] = (table.c.batch == batch.number,)
    rows = session.scalars(select(table.c.first_row).where(*its, told).limit(AT_ONCE)).all()
    if not rows:
        return False
    nothing = {column.name: null() for column in (*columns, table.c.after_hash)}
    return bool(
        changed(session, update(table).where(*its, table.c.first_row.in_(rows)).values(**nothing))
    )


def _forget_kept(session: Session, books: Books, batch: Batch) -> bool:
    table = books.tables.kept
    its: tuple[ColumnElement[bool], ...] = (table.c.batch == batch.number,)
    told = table.c.image.is_not(None)
    rows = session.scalars(select(table.c.row_number).where(*its, told).limit(AT_ONCE)).all()
    if not rows:
        return False
    forgotten = update(table).where(*its, table.c.row_number.in_(rows)).values(image=null())
    return bool(changed(session, forgotten))
