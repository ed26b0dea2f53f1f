"""The quick way of very large files, column by column, where a run is open to one."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Protocol

from sqlalchemy.orm import Session

from portal.rows.batch import Batch, Outcome
from portal.rows.chunk import recalling
from portal.rows.desk import Desk
from portal.rows.fates import Fate
from portal.rows.garbage import Sweeper
from portal.rows.loading import loader_for
from portal.rows.merger import merger_for
from portal.rows.portion import Portion
from portal.rows.schema import LedgerTables
from portal.rows.seen import Seen
from portal.rows.suspects import Suspects
from portal.rows.undertaking import Undertaking
from portal.tabular.table import Row

_FIRST = 1000  # rows of the first portion; each has twice as many as the one before, at most
_SWEPT_PORTIONS = 10  # garbage is looked for so often, for little is left by a portion


class Told(Protocol):
    """What became of a portion."""

    @property
    def gains(self) -> Counter[Outcome]:
        """How many rows have which outcome."""
        ...

    @property
    def failing(self) -> Mapping[int, Fate]:
        """The fates of the rows that failed, by place and in order."""
        ...

    def write(self, session: Session, tables: LedgerTables, batch: Batch) -> None:
        """Tell the ledger."""
        ...


class Quick(Protocol):
    """Does the rows of a run. `portion` makes ready, `do` acts; each may have its own thread."""

    def portion(self, rows: Iterator[Row], *, size: int) -> Portion | None:
        """The next `size` rows, ready to be done; None at the end."""
        ...

    def do(self, session: Session, portion: Portion) -> Told:
        """Do a portion."""
        ...


def quick_for(desk: Desk, run: Undertaking, seen: Seen, suspects: Suspects) -> Quick | None:
    """What does the rows of a run column by column; None where they have to be done as ever."""
    recall = recalling(desk, run, seen)
    merger = merger_for(run, suspects, seen=seen, recall=recall, at_once=desk.books.served)
    return merger or loader_for(run, suspects)


def portions_of(
    quick: Quick, rows: Iterator[Row], *, size: int, between: Callable[[], None], sweeper: Sweeper
) -> Iterator[Portion]:
    """All portions of `rows`; `between` is called before each, and at the end.

    The first ones are small: until the words of other tables are known, rows wait as they are.
    """
    sizes = (min(size, _FIRST << n) for n in count())
    between()
    while portion := quick.portion(rows, size=next(sizes)):
        yield portion
        sweeper.chunk_done(every=_SWEPT_PORTIONS)
        between()
