"""Two things at once: while the database takes one portion of rows, the next one is made ready."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Ready = TypeVar("Ready")


def one_ahead(
    given: Iterable[Given], *, make: Callable[[Given], Ready], do: Callable[[Ready], None]
) -> None:
    """`do` what `make` made of each of `given`, in order, in a thread of its own.

    At most one is made ahead of the one that is being done. What `make`, `do` or `given` raises
    comes out here, once nothing is being done any more.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="portal-rows") as thread:
        under_way: Future[None] | None = None
        for item in given:
            ready = make(item)
            if under_way is not None:
                under_way.result()
            under_way = thread.submit(do, ready)
        if under_way is not None:
            under_way.result()
