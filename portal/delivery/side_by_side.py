"""Several connections at once, each busy with one thing after the other."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from portal.delivery.faults import DeliveryError
from portal.delivery.run import OtherEndedError, Run

T = TypeVar("T")


def side_by_side(
    run: Run, things: Sequence[T], do: Callable[[Run, T], None], *, connections: int
) -> None:
    """Do something with each thing, by at most so many connections; the first is the run's own.

    Where a server gives fewer, there are fewer. What one raises ends all, and is raised.
    """
    waiting = _Waiting(things)
    others = min(connections, len(things)) - 1
    hands = [_Hand(run.beside(), waiting, do) for _ in range(others)]
    for hand in hands:
        hand.start()
    try:
        with suppress(OtherEndedError):
            _take_all(run, waiting, do)
    except BaseException:
        run.over.set()
        raise
    finally:
        for hand in hands:
            hand.join()
    for hand in hands:
        if hand.fault is not None:
            raise hand.fault


class _Waiting(Iterator[T]):
    """What is still to be done; each is given to one."""

    def __init__(self, things: Sequence[T]) -> None:
        self._things = iter(things)
        self._own = threading.Lock()

    def __next__(self) -> T:
        with self._own:
            return next(self._things)


class _Hand(threading.Thread):
    """A further connection, in a thread of its own."""

    def __init__(self, run: Run, waiting: _Waiting[T], do: Callable[[Run, T], None]) -> None:
        super().__init__(name="delivery")
        self.fault: BaseException | None = None
        self._run_of = run
        self._work: Callable[[], None] = lambda: _take_all(run, waiting, do)

    def run(self) -> None:
        """Open the connection, and take things until there are none."""
        try:
            self._run_of.line.open()
        except DeliveryError as fault:
            self._run_of.log(f"There is one connection less: {fault}")
            return
        try:
            self._work()
        except OtherEndedError:
            return
        except BaseException as fault:
            self.fault = fault
            self._run_of.over.set()
        finally:
            self._run_of.line.hang_up()


def _take_all(run: Run, waiting: _Waiting[T], do: Callable[[Run, T], None]) -> None:
    for thing in waiting:
        run.checkpoint()
        do(run, thing)
