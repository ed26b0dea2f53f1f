"""Two things at once: while the database takes one portion of rows, the next one is made ready."""

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
TURN_SECONDS = 0.0001


def one_ahead(given: Iterable[Item], *, do: Callable[[Item], None], at_once: bool = True) -> None:
    """`do` each of `given`, in order, in a thread of its own, while the next one is being made.

    At most one is made ahead of the one that is being done. What `do` or `given` raises comes out
    here, once nothing is being done any more. Without `at_once` all is done in turn: that is
    quicker where doing is this process's own work, too.
    """
    if not at_once:
        for item in given:
            do(item)
        return
    with (
        _brisk_turns(),
        ThreadPoolExecutor(1, thread_name_prefix="portal-rows") as thread,
    ):
        under_way: Future[None] | None = None
        for item in given:
            if under_way is not None:
                under_way.result()
            under_way = thread.submit(do, item)
        if under_way is not None:
            under_way.result()


def beside(work: Callable[[], Result], do: Callable[[], None], *, at_once: bool = True) -> Result:
    """What `work` gives, which is done while `do` waits for the database.

    What `do` raises comes out first. Without `at_once` both are done in turn.
    """
    if not at_once:
        do()
        return work()
    with ThreadPoolExecutor(1, thread_name_prefix="portal-rows-beside") as thread:
        found = thread.submit(work)
        do()
        return found.result()


@contextmanager
def _brisk_turns() -> Iterator[None]:
    """Threads take short turns: the one that talks to the database must not wait for its own."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
