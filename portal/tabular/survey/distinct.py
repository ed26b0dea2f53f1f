"""Whether the values of a column are all different, however many there are, in little memory."""

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import IO

RUN = 65_536  # hashes that wait in memory
PARTS = 64
_WIDTH = 8  # bytes of a hash
_BOUNDS = [-(2**63) + part * (2**64 // PARTS) for part in range(1, PARTS)]


class Distinct:
    """Texts as hashes of 64 bits: sorted runs on disk, held against each other part by part.

    Two texts that share a hash would be taken for the same: among ten million rows that happens
    once in 300,000 files. No file may be at `path` yet; `close` removes it.
    """

    def __init__(self, path: Path, *, run: int = RUN) -> None:
        self._path = path
        self._run = run
        self._waiting = array("q")
        self._starts: list[list[int]] = []  # of each run, where its parts begin and end
        self._stream: IO[bytes] | None = None
        self._written = 0

    def add(self, texts: Iterable[str]) -> None:
        """Take in more texts."""
        self._waiting.extend(map(hash, texts))
        if len(self._waiting) >= self._run:
            self._flush()

    def all_different(self) -> bool:
        """Whether no text came twice."""
        if self._stream is None:
            return len(set(self._waiting)) == len(self._waiting)
        self._flush()
        return all(self._is_distinct(part) for part in range(PARTS))

    def close(self) -> None:
        """Let the hashes go."""
        if self._stream is not None:
            self._stream.close()
            self._path.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._stream is None:
            self._stream = self._path.open("xb+")
        hashes = array("q", sorted(self._waiting))
        cuts = [bisect_left(hashes, bound) for bound in _BOUNDS]
        self._starts.append([self._written + cut for cut in (0, *cuts, len(hashes))])
        self._stream.seek(0, os.SEEK_END)
        self._stream.write(hashes.tobytes())
        self._written += len(hashes)
        self._waiting = array("q")

    def _is_distinct(self, part: int) -> bool:
        hashes = array("q")
        for starts in self._starts:
            first, last = list(pairwise(starts))[part]
            hashes.frombytes(self._read(first, last))
        return len(set(hashes)) == len(hashes)

    def _read(self, first: int, last: int) -> bytes:
        if self._stream is None:
            return b""
        self._stream.seek(first * _WIDTH)
        return self._stream.read((last - first) * _WIDTH)
