"""A batch on the desk of the process that holds it: claimed, written to, shown, given back."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from portal.errors import NotFoundError
from portal.jobs.work import CancelledError, StoppedError, Work
from portal.rows import ledger
from portal.rows.batch import Batch, BatchState
from portal.rows.books import Books, Pace, working_books
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Acting, Processor, Store
from portal.rows.undertaking import check_right

SHOW_SECONDS = 1.0


class PausedError(Exception):
    """Somebody asked the batch to pause; it goes on when asked to."""


class Desk:
    """One process's hold on a batch. `batch` is what the ledger said at the last commit.

    With a `processor`, whoever asked for the work must be allowed to use it until the end.
    """

    def __init__(self, work: Work, books: Books, batch: Batch) -> None:
        self.work = work
        self.books = books
        self.batch = batch
        self.processor: Processor | None = None
        self._shown_at = time.monotonic()

    def acting(self) -> Acting:
        """Who acts, and when."""
        runtime = self.work.runtime
        return Acting(actor=self.work.actor, now=runtime.clock(), settings=runtime.settings)

    @contextlib.contextmanager
    def chunk(self, *, lasting: bool = True) -> Iterator[Session]:
        """A transaction in the ledger's database that begins with the fence.

        Where a later one lasts, this need not be `lasting` by itself: a server that loses its
        power may forget it then, records and fates alike, and the batch goes on before it.
        """
        with self.books.write() as session:
            if self.books.served and not lasting:
                session.execute(text("SET LOCAL synchronous_commit = off"))
            ledger.fence(session, self.books.tables, self.batch)
            yield session

    def note(self, session: Session, **values: Any) -> Batch:
        """Change the batch's row; `take` what comes back once it is committed."""
        return ledger.write_batch(session, self.books.tables, self.batch, **values)

    def mark(self, **values: Any) -> None:
        """Change the batch's row in a transaction of its own, and show it."""
        with self.books.write() as session:
            noted = self.note(session, **values)
        self.batch = noted
        self.show()

    def between(self, stage: str, *, done: int, total: int | None, pausable: bool = True) -> None:
        """A safe point between chunks. Raises PausedError where a pause was asked for.

        Raises ForbiddenError where the right to go on was taken away.
        """
        self.work.progress(stage=stage, done=done, total=total, unit="rows")
        self.work.checkpoint()
        self._check_right()
        if pausable and self._pause_is_asked():
            raise PausedError
        if time.monotonic() - self._shown_at >= SHOW_SECONDS:
            self.show()

    def _check_right(self) -> None:
        actor = self.work.check_right()
        if self.processor is not None:
            check_right(actor, self.processor)

    def _pause_is_asked(self) -> bool:
        table = PORTAL_LEDGER.batch
        with self.work.runtime.reads() as session:
            asked = session.scalar(select(table.c.pause_asked).where(table.c.id == self.batch.id))
        return bool(asked)

    def show(self) -> None:
        """Let the portal's database tell what a ledger elsewhere says."""
        self._shown_at = time.monotonic()
        if self.batch.store is Store.TABLES:
            with self.work.effect() as session:
                ledger.mirror(session, PORTAL_LEDGER, self.batch)

    def pause(self) -> None:
        """Leave the batch as it is until somebody lets it go on."""
        self.mark(state=str(BatchState.PAUSED))
        with self.work.effect() as session:
            ledger.ask_to_pause(session, PORTAL_LEDGER, self.batch.id, asked=False)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What becomes of the batch when its work is cut short."""
        try:
            yield
        except PausedError:
            self.pause()
        except StoppedError:
            self.mark(state=str(BatchState.WAITING))  # it was given back in order
            raise
        except CancelledError:
            self.mark(state=str(BatchState.CANCELLED), ended_at=self.acting().now)
            raise
        except Exception:
            with contextlib.suppress(SQLAlchemyError):  # the first fault is the one to tell
                self.mark(state=str(BatchState.STOPPED), ended_at=self.acting().now)
            raise


def sit_down(work: Work, *, batch_id: str, pace: Pace | None = None) -> Desk:
    """Claim a batch for this attempt of the job; raises NotFoundError where it is gone.

    `pace` is another than that of the records' store.
    """
    with work.effect() as session:
        batch = ledger.allot(session, PORTAL_LEDGER, batch_id, job_id=work.claim.job_id)
    if batch is None:
        raise NotFoundError("This batch is gone.")
    books = working_books(work, batch.store)
    books = books if pace is None else replace(books, pace=pace)
    if batch.store is Store.TABLES:
        with books.write() as session:
            batch = ledger.claim_copy(session, books.tables, batch)
    return Desk(work, books, batch)
