"""Where the ledger of a batch is kept, and how to read and write there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.db import open_sessions, reading
from portal.jobs.work import Work
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Store
from portal.rows.schema import LedgerTables, make_tables_ledger, tables_ledger
from portal.runtime import Runtime

Sessions = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How much is done in one transaction: input rows, changed database rows, seconds.

    `times`: so many times the rows where they are done column by column, for these take less room.
    """

    rows: int
    changes: int | None = None
    seconds: float | None = None
    times: int = 1

    @property
    def by_column(self) -> int:
        """The input rows of a transaction where they are done column by column."""
        return self.rows * self.times


# A transaction in the portal's database has at most 500 rows and a quarter of a second; the log
# lines that go along take up to 200 of them.
PORTAL_PACE = Pace(rows=100, changes=240, seconds=0.12)
TABLES_PACE = Pace(rows=5_000)
SERVED_PACE = Pace(rows=5_000, times=4)  # a server takes text, which is a third of the values


@dataclass(frozen=True, kw_only=True)
class Books:
    """A ledger: its tables, `write` for transactions that commit, `read` for those that do not.

    `served`: a server of its own takes what is written, while this process goes on.
    """

    tables: LedgerTables
    write: Sessions
    read: Sessions
    pace: Pace
    served: bool = False


def open_books(runtime: Runtime, store: Store) -> Books:
    """The ledger for records in `store`; that in the tables database is made when missing."""
    if store is Store.PORTAL:
        return Books(
            tables=PORTAL_LEDGER,
            write=runtime.sessions.begin,
            read=runtime.reads,
            pace=PORTAL_PACE,
        )
    engine = runtime.tables
    served = engine.dialect.name == "postgresql"
    make_tables_ledger(engine)
    return Books(
        tables=tables_ledger(engine),
        write=open_sessions(engine).begin,
        read=open_sessions(reading(engine)),
        pace=SERVED_PACE if served else TABLES_PACE,
        served=served,
    )


def working_books(work: Work, store: Store) -> Books:
    """The same for a job: what it writes into the portal's ledger, its own token guards too."""
    books = open_books(work.runtime, store)
    if store is Store.TABLES:
        return books
    return Books(tables=books.tables, write=work.effect, read=books.read, pace=books.pace)
