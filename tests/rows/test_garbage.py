"""Garbage is looked for by chunk, and only among what the chunks left."""

import gc
import weakref
from typing import Self

from portal.rows.garbage import swept_by_chunk


class _Knot:
    """An object only the collector can free."""

    def __init__(self) -> None:
        self.itself: Self = self


def _left() -> weakref.ref[_Knot]:
    return weakref.ref(_Knot())


def test_what_a_chunk_leaves_is_freed() -> None:
    with swept_by_chunk() as sweeper:
        left = _left()
        assert left() is not None
        sweeper.chunk_done()
        assert left() is None


def test_to_begin_and_to_end_looks_for_nothing() -> None:
    gc.collect()
    before = gc.get_stats()
    with swept_by_chunk():
        left = _left()
    assert gc.get_stats()[2]["collections"] == before[2]["collections"]
    assert left() is not None


def test_every_other_chunk_is_looked_through_where_asked() -> None:
    with swept_by_chunk() as sweeper:
        left = _left()
        sweeper.chunk_done(every=2)
        assert left() is not None
        sweeper.chunk_done(every=2)
        assert left() is None
