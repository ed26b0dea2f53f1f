"""Looking for cycles of garbage once per chunk, not at every few hundred rows.

Rows and values make no cycles, yet there are so many of them that Python's collector would take
half of the time of a batch. What was there before the first chunk is looked at once, and not before
a few chunks are done: to go through a whole process costs more than a small batch does.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

ALL_AFTER = 5  # chunks


class Sweeper:
    """Looks for garbage when told that a chunk is done."""

    def __init__(self) -> None:
        self._chunks = 0

    def chunk_done(self, *, every: int = 1) -> None:
        """Look among what the chunks left, at each of `every` chunks."""
        self._chunks += 1
        if self._chunks == ALL_AFTER:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        elif self._chunks % every == 0:
            gc.collect()


@contextmanager
def swept_by_chunk() -> Iterator[Sweeper]:
    """Within, the collector runs only when the sweeper is told to."""
    was_enabled = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield Sweeper()
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
