"""Inputs that nobody would write: files of the corpus with bytes changed, and soups of signs."""

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tests.tabular.corpus.cases import all_cases

CONTENTS = [case.content for case in all_cases()]
SIGNS = [b'"', b"'", b",", b";", b"\t", b"|", b"\\", b"\r", b"\n", b"\r\n", b" ", b"=", b"'="]
SIGNS += [b"\0", b"\xff", b"\xfe", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xa4", b"\x85", b"\x0c"]
SIGNS += [b'""', b'","', b'"\n', b"sep=;\n", b"\xe2\x80\xa8", b"\xf0\x9f\x8e\x89", b"-", b"1", b"a"]
SECONDS = 5.0  # of computing; the largest input takes a hundredth


def odd_inputs(seed: int, count: int) -> Iterator[bytes]:
    """The same inputs for the same seed."""
    source = random.Random(seed)
    for _ in range(count):
        yield _odd_input(source)


def _odd_input(source: random.Random) -> bytes:
    how = source.randrange(20)
    if how == 0:
        return source.randbytes(source.randint(0, 300))
    if how < 4:
        return b"".join(source.choices(SIGNS, k=source.randint(1, 120)))
    content = source.choice(CONTENTS)
    if how == 4:
        content = content * source.randint(2, 40)
    elif how == 5:
        other = source.choice(CONTENTS)
        content = (
            content[: source.randint(0, len(content))] + other[source.randint(0, len(other)) :]
        )
    for _ in range(source.randint(1, 6)):
        content = _changed(source, content)
    return content


def _changed(source: random.Random, content: bytes) -> bytes:
    at = source.randint(0, len(content))
    how = source.randrange(5)
    if how == 0:
        return content[:at] + content[at + source.randint(1, 4) :]
    if how == 1:
        return content[:at] + source.choice(SIGNS) + content[at:]
    if how == 2:
        return content[:at] + source.randbytes(1) + content[at + 1 :]
    if how == 3:
        part = content[at : at + source.randint(1, 30)]
        return content[:at] + part * source.randint(2, 5) + content[at:]
    return content[:at] if source.random() < 0.3 else content[:at] + bytes([at & 0xFF])


class HangError(Exception):
    """One input took too long."""


@contextmanager
def hang_detector() -> Iterator[None]:
    """Raise HangError in here as soon as `watch` has not been called for some time of computing."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise HangError(f"more than {SECONDS} s of computing")

    before = signal.signal(signal.SIGVTALRM, ring)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def watch() -> None:
    """Begin the time of the next input."""
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
