"""Turns at reading spreadsheets, for a process that answers people.

A spreadsheet of few bytes can take long to read. Whoever opens many at once must not take all the
threads that everybody else's pages need.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from portal.tabular.table import TableError

MOST = 2
PATIENCE_SECONDS = 1.0
BUSY = "Other spreadsheets are being read just now; try again in a moment."

_turns = threading.BoundedSemaphore(MOST)


@contextmanager
def turn(kind: str) -> Iterator[None]:
    """A turn to read a file of this kind in; raises TableError where MOST are being read already.

    CSV needs none: it costs what its bytes cost.
    """
    if kind == "csv":
        yield
        return
    if not _turns.acquire(timeout=PATIENCE_SECONDS):
        raise TableError(BUSY)
    try:
        yield
    finally:
        _turns.release()
