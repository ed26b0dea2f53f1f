"""A sequential ZIP writer: flat memory, the same bytes for the same input.

Entries up to a megabyte are packed in memory by threads, larger ones streamed and their header
patched afterwards, so that no entry needs a data descriptor.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.projects.disk_tables import DiskTables
from portal.projects.gathered import Gathered
from portal.projects.zip_ahead import Rounds
from portal.projects.zip_packing import SAMPLE, PackedContent, PackedStream, pack_all, shrinks
from portal.projects.zip_records import (
    DEFLATED,
    STORED,
    Packed,
    central_header,
    dos_time,
    end_records,
    local_header,
)

WHOLE = 1024 * 1024  # up to this size an entry is packed in memory
CHUNK = 256 * 1024
WIDE = 4_000_000_000  # from this size on the header has room for 64-bit sizes
NAME_BYTES = 65535
_READ_LATER = 64 * 1024  # from this size on a thread's reading pays
_BUFFER = 512 * 1024
_NAMES_IN_MEMORY = 32_000
_BAD = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]|^/|^[A-Za-z]:|(^|/)\.{0,2}(/|$)")


class Entry(NamedTuple):
    """What was written under `name`; sizes in bytes, `sha256` in hex of the unpacked content."""

    name: str
    size: int
    packed_size: int
    sha256: str


Then = Callable[[Entry], object]


def _nothing(_: object) -> None:
    """For what nobody asks about."""


class _Given(NamedTuple):
    """An entry on its way; `content` may be called for, by the thread that packs it."""

    name: str
    encoded: bytes
    content: bytes | Callable[[], bytes]
    then: Then


class ZipWriter:
    """Writes one archive to a seekable `stream`; use it as a context manager.

    Entries lie in the order in which they were added. `then` is told of each in that order, in
    the caller's thread, when it is written: at the latest by `drain` or the end. What goes wrong
    with a file's content is raised then. Every entry bears `moment`. `on_bytes` is told the number
    of source bytes after each piece; what it raises (a cancellation) ends the writing, and the
    archive is then no archive. A file from `wide_from` bytes on has room for 64-bit sizes.
    """

    def __init__(
        self,
        stream: IO[bytes],
        *,
        moment: datetime,
        on_bytes: Callable[[int], None] = _nothing,
        wide_from: int = WIDE,
    ) -> None:
        self._stream = stream
        self._when = dos_time(moment)
        self._on_bytes = on_bytes
        self._wide_from = wide_from
        self._rounds = Rounds(_pack, self._write)
        self._buffer = bytearray()
        self._directory = Gathered()
        self._tables = DiskTables()
        self._names = self._tables.table(recent=_NAMES_IN_MEMORY)
        self._written = self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._rounds.stop()
            self._directory.close()
            self._tables.close()

    def add_bytes(self, name: str, content: bytes, *, then: Then = _nothing) -> None:
        """Write `content` as `name`; raise InvalidError for an unsafe or repeated name."""
        self._rounds.add(_Given(name, self._claim(name), content, then), size=len(content))

    def add_file(self, name: str, source: Path | str, *, then: Then = _nothing) -> None:
        """Write the file at `source` as `name`.

        Raises ConflictError if it changes meanwhile, NotFoundError if it cannot be opened.
        """
        handle = _opened(name, source)
        try:
            size = os.fstat(handle).st_size
            if size > WHOLE:
                self._stream_file(name, handle, size, then)
            elif size < _READ_LATER:
                self.add_bytes(name, _read_whole(handle, size, name), then=then)
            else:
                content = partial(_reopened, name, source, size)
                self._rounds.add(_Given(name, self._claim(name), content, then), size=size)
        finally:
            os.close(handle)

    def add_chunks(self, name: str, chunks: Iterable[bytes], *, then: Then = _nothing) -> None:
        """Write `chunks`, of any total size, deflated as `name`, and everything added before."""
        then(self._stream_entry(name, chunks, method=DEFLATED, wide=True))

    def drain(self) -> None:
        """Return when everything added is written and told."""
        self._rounds.drain()

    def _stream_file(self, name: str, handle: int, size: int, then: Then) -> None:
        method = DEFLATED if shrinks(name, os.pread(handle, SAMPLE, size // 2)) else STORED
        wide = size >= self._wide_from
        entry = self._stream_entry(name, _chunks(handle), method=method, wide=wide)
        if entry.size != size:
            raise _changed(name)
        then(entry)

    def _stream_entry(
        self, name: str, chunks: Iterable[bytes], *, method: int, wide: bool
    ) -> Entry:
        encoded = self._claim(name)
        self.drain()
        self._flush()
        offset = self._written
        self._put(local_header(encoded, Packed(method, 0, 0, 0), self._when, wide=wide))
        facts, sha256 = self._put_chunks(PackedStream(method), chunks)
        self._flush()
        if not wide and max(facts.size, facts.packed_size) > 0xFFFFFFFE:
            raise _changed(name)
        self._stream.seek(offset)
        self._stream.write(local_header(encoded, facts, self._when, wide=wide))
        self._stream.seek(self._written)
        self._directory.add(central_header(encoded, facts, self._when, offset))
        return Entry(name, facts.size, facts.packed_size, sha256)

    def _put_chunks(self, stream: PackedStream, chunks: Iterable[bytes]) -> tuple[Packed, str]:
        for chunk in chunks:
            self._put(stream.pack(chunk))
            self._on_bytes(len(chunk))
        facts, rest, sha256 = stream.end()
        self._put(rest)
        return facts, sha256

    def _write(self, packed: tuple[_Given, PackedContent]) -> None:
        given, (facts, body, sha256) = packed
        offset = self._written + len(self._buffer)
        self._buffer += local_header(given.encoded, facts, self._when, wide=False)
        self._put(body)
        self._directory.add(central_header(given.encoded, facts, self._when, offset))
        self._on_bytes(facts.size)
        given.then(Entry(given.name, facts.size, facts.packed_size, sha256))

    def _claim(self, name: str) -> bytes:
        if _BAD.search(name):
            raise InvalidError(f"The name {name!r} cannot stand in an archive.")
        encoded = name.encode()
        if len(encoded) > NAME_BYTES:
            raise InvalidError(f"The name {name[:60]!r}… is too long for an archive.")
        if not self._names.add(name):
            raise InvalidError(f"The name {name!r} stands in this archive already.")
        self._count += 1
        return encoded

    def _put(self, data: bytes | bytearray) -> None:
        if len(data) >= _BUFFER:
            self._flush()
            self._stream.write(data)
            self._written += len(data)
            return
        self._buffer += data
        if len(self._buffer) >= _BUFFER:
            self._flush()

    def _flush(self) -> None:
        self._stream.write(self._buffer)
        self._written += len(self._buffer)
        self._buffer = bytearray()

    def _finish(self) -> None:
        self.drain()
        self._flush()
        offset, size = self._written, self._directory.size
        for chunk in self._directory.chunks():
            self._stream.write(chunk)
        self._stream.write(end_records(count=self._count, size=size, offset=offset))


def _pack(batch: list[_Given]) -> Iterable[tuple[_Given, PackedContent]]:
    names = [given.name for given in batch]
    contents = [
        given.content if isinstance(given.content, bytes) else given.content() for given in batch
    ]
    return zip(batch, pack_all(names, contents), strict=True)


def _opened(name: str, source: Path | str) -> int:
    try:
        return os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise NotFoundError(f"The file {name!r} cannot be read: {error.strerror}.") from error


def _reopened(name: str, source: Path | str, size: int) -> bytes:
    handle = _opened(name, source)
    try:
        return _read_whole(handle, size, name)
    finally:
        os.close(handle)


def _read_whole(handle: int, size: int, name: str) -> bytes:
    content = os.read(handle, size + 1)
    if len(content) != size:
        raise _changed(name)
    return content


def _changed(name: str) -> ConflictError:
    return ConflictError(f"The file {name!r} changed while it was being saved; try again.")


def _chunks(handle: int) -> Iterator[bytes]:
    while chunk := os.read(handle, CHUNK):
        yield chunk
