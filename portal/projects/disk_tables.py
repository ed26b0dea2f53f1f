"""Tables that grow with a project but not in memory: most of them lies in a temporary file."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

RECENT = 4_000
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -2000;
CREATE TABLE entry (
  tab INTEGER, key BLOB, value BLOB, PRIMARY KEY (tab, key)
) WITHOUT ROWID;
BEGIN;
"""
_SET = "INSERT OR REPLACE INTO entry VALUES (?, ?, ?)"
_GET = "SELECT value FROM entry WHERE tab = ? AND key = ?"
_ALL = "SELECT key, value FROM entry WHERE tab = ? ORDER BY key"


class DiskTables:
    """Makes tables that share one temporary file and two megabytes of memory.

    A context manager, for one thread; the file is gone after it, and after a crash. A full disk
    raises OSError.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(_SCHEMA)
        self._tables = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def table(self, *, recent: int = RECENT) -> "DiskTable":
        """Make one more table, empty; of its entries up to `recent` are held in memory."""
        self._tables += 1
        return DiskTable(self._database, number=self._tables, recent=recent)

    def close(self) -> None:
        """Remove the file; closing twice is fine."""
        self._database.close()


class DiskTable:
    """Texts by text; of any characters, lone surrogates included."""

    def __init__(self, database: sqlite3.Connection, *, number: int, recent: int) -> None:
        self._database = database
        self._number = number
        self._most = recent
        self._recent: dict[str, str] = {}
        self._spilled = False

    def add(self, key: str, value: str = "") -> bool:
        """Keep `value` under `key`; where the key has a value, change nothing and return False."""
        if key in self:
            return False
        self[key] = value
        return True

    def get(self, key: str) -> str | None:
        """The value under `key`, None where there is none."""
        value = self._recent.get(key)
        if value is not None or not self._spilled:
            return value
        row = self._database.execute(_GET, (self._number, _encoded(key))).fetchone()
        return None if row is None else _decoded(row[0])

    def items(self) -> Iterator[tuple[str, str]]:
        """All keys with their values, in the order of the keys' code points."""
        self._spill()
        for key, value in self._database.execute(_ALL, (self._number,)):
            yield _decoded(key), _decoded(value)

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def __getitem__(self, key: str) -> str:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: str) -> None:
        self._recent[key] = value
        if len(self._recent) >= self._most:
            self._spill()

    def _spill(self) -> None:
        neighbours = sorted(self._recent.items())  # so that the file is written place by place
        rows = ((self._number, _encoded(key), _encoded(value)) for key, value in neighbours)
        try:
            self._database.executemany(_SET, rows)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            raise
        self._recent.clear()
        self._spilled = True


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(content: Any) -> str:
    return str(content, "utf-8", "surrogatepass")
