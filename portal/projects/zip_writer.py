"""A sequential ZIP writer over ISA-L: small memory, the same bytes for the same input.

Small entries are packed in memory, large ones streamed and their header patched afterwards, so
that no entry needs a data descriptor. What does not shrink is stored.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from isal import igzip_lib, isal_zlib

from portal.errors import ConflictError, InvalidError, NotFoundError
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
SAMPLE = 16 * 1024
WIDE = 4_000_000_000  # from this size on the header has room for 64-bit sizes
NAME_BYTES = 65535
COMPRESSED_MEDIA = re.compile(
    r"\.(7z|aac|avi|avif|br|bz2|docx|epub|flac|gif|gz|heic|jar|jpe?g|jxl|m4[av]|mkv|mov|mp[34]"
    r"|od[pst]|ogg|opus|png|pptx|rar|tgz|web[mp]|woff2?|xlsx|xz|zip|zst)$",
    re.IGNORECASE,
)
_LEVEL = 3
_BUFFER = 1024 * 1024
_BAD = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]|^/|^[A-Za-z]:|(^|/)\.{0,2}(/|$)")


@dataclass(frozen=True, slots=True)
class Entry:
    """What was written under `name`; sizes in bytes, `sha256` in hex of the unpacked content."""

    name: str
    size: int
    packed_size: int
    sha256: str


class ZipWriter:
    """Writes one archive to a seekable `stream`; use it as a context manager.

    Every entry bears `moment`. `on_bytes` is told the number of source bytes after each piece;
    what it raises (a cancellation) ends the writing, and the archive is then no archive.
    """

    def __init__(
        self,
        stream: IO[bytes],
        *,
        moment: datetime,
        on_bytes: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._stream = stream
        self._when = dos_time(moment)
        self._on_bytes = on_bytes
        self._buffer = bytearray()
        self._directory = bytearray()
        self._names: set[str] = set()
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._finish()

    def add_bytes(self, name: str, content: bytes) -> Entry:
        """Write `content` as `name`; raise InvalidError for an unsafe or repeated name."""
        encoded = self._claim(name)
        size = len(content)
        method, body = STORED, content
        if size <= SAMPLE * 4 or _shrinks(name, _middle(content)):
            deflated = igzip_lib.compress(
                content, _LEVEL, igzip_lib.COMP_DEFLATE, igzip_lib.MEM_LEVEL_MEDIUM
            )
            if len(deflated) < size:
                method, body = DEFLATED, deflated
        packed = Packed(method, isal_zlib.crc32(content), size, len(body))
        offset = self._written + len(self._buffer)
        self._put(local_header(encoded, packed, self._when, wide=False))
        self._put(body)
        self._directory += central_header(encoded, packed, self._when, offset)
        self._on_bytes(size)
        return Entry(name, size, len(body), hashlib.sha256(content).hexdigest())

    def add_file(self, name: str, source: Path | str) -> Entry:
        """Write the file at `source` as `name`.

        Raises ConflictError if it changes meanwhile, NotFoundError if it cannot be opened.
        """
        handle = _opened(name, source)
        try:
            size = os.fstat(handle).st_size
            if size <= WHOLE:
                return self.add_bytes(name, _read_whole(handle, size, name))
            method = DEFLATED if _shrinks(name, os.pread(handle, SAMPLE, size // 2)) else STORED
            entry = self._stream_entry(name, _chunks(handle), method=method, wide=size >= WIDE)
        finally:
            os.close(handle)
        if entry.size != size:
            raise ConflictError(f"The file {name!r} changed while it was being saved; try again.")
        return entry

    def add_chunks(self, name: str, chunks: Iterable[bytes]) -> Entry:
        """Write `chunks`, of any total size, deflated as `name`."""
        return self._stream_entry(name, chunks, method=DEFLATED, wide=True)

    def _stream_entry(
        self, name: str, chunks: Iterable[bytes], *, method: int, wide: bool
    ) -> Entry:
        encoded = self._claim(name)
        self._flush()
        offset = self._written
        self._put(local_header(encoded, Packed(method, 0, 0, 0), self._when, wide=wide))
        packed, digest = self._put_chunks(chunks, method)
        self._flush()
        if not wide and max(packed.size, packed.packed_size) > 0xFFFFFFFE:
            raise ConflictError(f"The file {name!r} grew while it was being saved; try again.")
        self._stream.seek(offset)
        self._stream.write(local_header(encoded, packed, self._when, wide=wide))
        self._stream.seek(self._written)
        self._directory += central_header(encoded, packed, self._when, offset)
        return Entry(name, packed.size, packed.packed_size, digest)

    def _put_chunks(self, chunks: Iterable[bytes], method: int) -> tuple[Packed, str]:
        deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15)
        digest, crc, size, packed_size = hashlib.sha256(), 0, 0, 0
        for chunk in chunks:
            digest.update(chunk)
            crc = isal_zlib.crc32(chunk, crc)
            size += len(chunk)
            packed_size += self._put(deflate.compress(chunk) if method == DEFLATED else chunk)
            self._on_bytes(len(chunk))
        if method == DEFLATED:
            packed_size += self._put(deflate.flush())
        return Packed(method, crc, size, packed_size), digest.hexdigest()

    def _claim(self, name: str) -> bytes:
        if _BAD.search(name):
            raise InvalidError(f"The name {name!r} cannot stand in an archive.")
        if name in self._names:
            raise InvalidError(f"The name {name!r} stands in this archive already.")
        encoded = name.encode()
        if len(encoded) > NAME_BYTES:
            raise InvalidError(f"The name {name[:60]!r}… is too long for an archive.")
        self._names.add(name)
        return encoded

    def _put(self, data: bytes) -> int:
        self._buffer += data
        if len(self._buffer) >= _BUFFER:
            self._flush()
        return len(data)

    def _flush(self) -> None:
        self._stream.write(self._buffer)
        self._written += len(self._buffer)
        self._buffer = bytearray()

    def _finish(self) -> None:
        self._flush()
        offset, size = self._written, len(self._directory)
        self._stream.write(self._directory)
        self._stream.write(end_records(count=len(self._names), size=size, offset=offset))


def _shrinks(name: str, sample: bytes) -> bool:
    """Whether deflating pays: known media must shrink by a quarter, anything else by 3 %."""
    deflated = len(igzip_lib.compress(sample, 1, igzip_lib.COMP_DEFLATE))
    limit = 0.75 if COMPRESSED_MEDIA.search(name) else 0.97
    return deflated < limit * len(sample)


def _middle(content: bytes) -> bytes:
    start = len(content) // 2
    return content[start : start + SAMPLE]


def _opened(name: str, source: Path | str) -> int:
    try:
        return os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise NotFoundError(f"The file {name!r} cannot be read: {error.strerror}.") from error


def _read_whole(handle: int, size: int, name: str) -> bytes:
    content = os.read(handle, size + 1)
    if len(content) != size:
        raise ConflictError(f"The file {name!r} changed while it was being saved; try again.")
    return content


def _chunks(handle: int) -> Iterator[bytes]:
    while chunk := os.read(handle, CHUNK):
        yield chunk
