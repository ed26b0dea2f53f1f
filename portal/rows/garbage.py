"""Looking for cycles of garbage once per chunk, not at every few hundred rows.

Rows and values make no cycles, yet there are so many of them that Python's collector would take
half of the time of a batch.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

WHOLE_EVERY = 50


class Sweeper:
    """Looks for garbage when told that a chunk is done."""

    def __init__(self) -> None:
        self._chunks = 0

    def chunk_done(self) -> None:
        """Look among what the chunk left, now and then among all."""
        self._chunks += 1
        gc.collect(2 if self._chunks % WHOLE_EVERY == 0 else 1)


@contextmanager
def swept_by_chunk() -> Iterator[Sweeper]:
    """Within, the collector runs only when the sweeper is told to."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield Sweeper()
    finally:
        if was_enabled:
            gc.enable()
