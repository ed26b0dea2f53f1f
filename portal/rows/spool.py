"""Failing rows put aside in a file, until they may be written into the ledger."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True, kw_only=True)
class Spooled:
    """A failing row: its cells in the file, what was typed over them, and what is wrong."""

    row: int
    line: int | None
    cells: Sequence[str]
    edited: Mapping[str, str]
    errors: Mapping[str, Sequence[str]]


class Spool:
    """Rows in the order in which they were put aside; memory stays flat however many there are."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.failing = 0

    def keep(self, spooled: Spooled) -> None:
        """Put a row that failed aside."""
        self.failing += 1
        self.keep_waiting(spooled)

    def keep_waiting(self, spooled: Spooled) -> None:
        """Put a row aside that is good, and waits for others."""
        self._stream.write(json.dumps(asdict(spooled)) + "\n")

    def rows(self) -> Iterator[Spooled]:
        """All that was put aside."""
        self._stream.seek(0)
        for line in self._stream:
            yield Spooled(**json.loads(line))


@contextmanager
def open_spool(folder: Path) -> Iterator[Spool]:
    """An empty spool in `folder`, removed at the end."""
    path = folder / "failing.jsonl"
    with path.open("w+", encoding="ascii") as stream:
        yield Spool(stream)
    path.unlink(missing_ok=True)
