"""Work done by a few threads in rounds, its results handed on in the order in which it was given.

While one thread takes turns with another at short pieces of Python, both wait more than they work.
So a round is gathered first, then worked on in batches, then handed on.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

THREADS = 2
BATCH = 128 * 1024  # handing over to a thread costs more than one small item is worth
ROUND = 8 * 1024 * 1024
_PER_ITEM = 512

Given = TypeVar("Given")
Done = TypeVar("Done")


class Rounds(Generic[Given, Done]):
    """Does `work` on batches of items in threads and calls `hand_on` with each result, in order.

    `hand_on` is called by the thread that calls here. A round holds few megabytes, however much
    is given. What `work` raises is raised where its result was due. After `stop` no thread is
    left.
    """

    def __init__(
        self, work: Callable[[list[Given]], Iterable[Done]], hand_on: Callable[[Done], None]
    ) -> None:
        self._work = work
        self._hand_on = hand_on
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="portal-pack")
        self._batches: list[list[Given]] = [[]]
        self._batch_bytes = self._round_bytes = 0

    def add(self, item: Given, *, size: int) -> None:
        """Give one item, which holds `size` bytes; when the round is full, hand it on."""
        self._batches[-1].append(item)
        self._batch_bytes += size + _PER_ITEM
        if self._batch_bytes < BATCH:
            return
        self._round_bytes += self._batch_bytes
        if self._round_bytes >= ROUND:
            self.drain()
        else:
            self._batches.append([])
            self._batch_bytes = 0

    def drain(self) -> None:
        """Hand on everything given so far."""
        batches = self._batches
        self._forget()
        futures = [self._threads.submit(self._work, batch) for batch in batches if batch]
        for future in futures:
            for result in future.result():
                self._hand_on(result)

    def stop(self) -> None:
        """Forget what was not handed on; return when the threads have ended."""
        self._threads.shutdown(cancel_futures=True)
        self._forget()

    def _forget(self) -> None:
        self._batches = [[]]
        self._batch_bytes = self._round_bytes = 0
