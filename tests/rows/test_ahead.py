"""Portions are done in order, the next one made meanwhile, and what goes wrong comes out."""

import threading
from collections.abc import Iterator

import pytest

from portal.rows.ahead import one_ahead


def test_all_is_done_in_order() -> None:
    done: list[int] = []
    one_ahead(iter(range(5)), do=done.append)
    assert done == [0, 1, 2, 3, 4]


def test_the_next_is_made_while_one_is_done() -> None:
    made_second = threading.Event()

    def given() -> Iterator[int]:
        yield 0
        made_second.set()
        yield 1

    def do(n: int) -> None:
        if n == 0:
            assert made_second.wait(10)

    one_ahead(given(), do=do)


def test_what_doing_raises_comes_out_and_ends_it() -> None:
    done: list[int] = []

    def do(n: int) -> None:
        if n == 1:
            raise LookupError
        done.append(n)

    with pytest.raises(LookupError):
        one_ahead(range(5), do=do)
    assert done == [0]


def test_what_making_raises_comes_out_when_the_last_is_done() -> None:
    done: list[int] = []

    def given() -> Iterator[int]:
        yield 0
        raise LookupError

    with pytest.raises(LookupError):
        one_ahead(given(), do=done.append)
    assert done == [0]
