"""Reads a ZIP archive record by record: memory stays flat however many entries it has.

It shares no packing code with the writer: contents are inflated and summed by zlib.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from portal.errors import InvalidError
from portal.projects.zip_records import (
    CENTRAL,
    DEFLATED,
    END,
    END64,
    LOCAL,
    LOCATOR64,
    STORED,
    ZIP64_COUNT,
    ZIP64_SIZE,
    Packed,
)

_CHUNK = 256 * 1024
_ENCRYPTED = 1
_COMMENT_BYTES = 0xFFFF
_ZIP64_FIELD = 1


class Record(NamedTuple):
    """What the directory says of one entry; `offset` is where its header stands in the file."""

    name: str
    packed: Packed
    offset: int


class _Directory(NamedTuple):
    entries: int
    size: int
    offset: int


class ZipReader:
    """An open archive; use it as a context manager.

    Every method raises InvalidError where the archive is damaged or not of the kind that
    `ZipWriter` makes: one file, not encrypted, entries stored or deflated, names in UTF-8.
    """

    def __init__(self, path: Path) -> None:
        self._stream = path.open("rb")
        try:
            self._directory = _find_directory(self._stream)
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()

    def records(self) -> Iterator[Record]:
        """All entries in the directory's order; one such reading at a time."""
        stream, directory = self._stream, self._directory
        stream.seek(directory.offset)
        for _ in range(directory.entries):
            yield _read_record(stream)
        if stream.tell() != directory.offset + directory.size:
            raise _damaged("its directory is not as long as it says")

    def content(self, record: Record) -> Iterator[bytes]:
        """The unpacked content in pieces; the last one came only if size and CRC are right."""
        crc = size = 0
        for piece in self._unpacked(record):
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            if size > record.packed.size:
                break
            yield piece
        if (crc, size) != (record.packed.crc, record.packed.size):
            raise _damaged(f"the content of {record.name!r} is not what was packed")

    def _unpacked(self, record: Record) -> Iterator[bytes]:
        pieces = self._packed(record)
        return pieces if record.packed.method == STORED else _inflated(pieces, record.name)

    def _packed(self, record: Record) -> Iterator[bytes]:
        """Read by place, not by turn, so that several contents can be read at once."""
        handle, name = self._stream.fileno(), record.name.encode()
        limit = self._directory.offset
        place = min(record.offset, limit)
        head = os.pread(handle, LOCAL.size + len(name), place)
        place += LOCAL.size + _check_header(head, name, record)
        end = place + record.packed.packed_size
        if end > limit:
            raise _damaged(f"{record.name!r} reaches into the directory")
        while place < end:
            piece = os.pread(handle, min(_CHUNK, end - place), place)
            if not piece:
                raise _damaged(f"{record.name!r} is cut off")
            place += len(piece)
            yield piece


def _find_directory(stream: IO[bytes]) -> _Directory:
    file_size = stream.seek(0, os.SEEK_END)
    start = max(0, file_size - END.size - _COMMENT_BYTES)
    stream.seek(start)
    tail = stream.read(END.size + _COMMENT_BYTES)
    place = tail.rfind(b"PK\5\6")
    if place < 0 or len(tail) - place < END.size:
        raise _damaged("it has no end")
    _, disk, first_disk, here, count, size, offset, comment = END.unpack_from(tail, place)
    end = start + place
    if disk or first_disk or here != count or end + END.size + comment != file_size:
        raise _damaged("its end is not where it says, or it is in several parts")
    found = _Directory(count, size, offset)
    if count == ZIP64_COUNT or ZIP64_SIZE in (size, offset):
        found, end = _find_wide_directory(stream, end)
    if found.offset + found.size != end or found.entries * CENTRAL.size > found.size:
        raise _damaged("its directory is not where its end says")
    return found


def _find_wide_directory(stream: IO[bytes], end: int) -> tuple[_Directory, int]:
    """The directory by the ZIP64 end before `end`, and where that one starts."""
    start = end - LOCATOR64.size - END64.size
    if start < 0:
        raise _damaged("it has no ZIP64 end")
    stream.seek(start)
    wide = END64.unpack(stream.read(END64.size))
    locator = LOCATOR64.unpack(stream.read(LOCATOR64.size))
    if wide[0] != b"PK\6\6" or locator != (b"PK\6\7", 0, start, 1) or wide[6] != wide[7]:
        raise _damaged("its ZIP64 end cannot be read")
    return _Directory(*wide[7:]), start


def _read_record(stream: IO[bytes]) -> Record:
    head = _exactly(stream, CENTRAL.size)
    (
        signature, _, _, flags, method, _, _, crc, packed_size, size,
        name_size, extra_size, comment_size, _, _, _, offset,
    ) = CENTRAL.unpack(head)  # fmt: skip
    if signature != b"PK\1\2":
        raise _damaged("its directory cannot be read")
    name = _decoded(_exactly(stream, name_size))
    if flags & _ENCRYPTED or method not in (STORED, DEFLATED):
        raise _damaged(f"{name!r} is packed in a way that is not known here")
    extra = _exactly(stream, extra_size)
    _exactly(stream, comment_size)
    if ZIP64_SIZE in (size, packed_size, offset):
        size, packed_size, offset = _widened(extra, (size, packed_size, offset))
    if method == STORED and size != packed_size:
        raise _damaged(f"the sizes of {name!r} differ")
    return Record(name, Packed(method, crc, size, packed_size), offset)


def _widened(extra: bytes, values: tuple[int, ...]) -> Iterator[int]:
    """Each of `values`, or where it is full the next one of the ZIP64 field (4.5.3)."""
    field = _zip64_field(extra)
    for value in values:
        if value != ZIP64_SIZE:
            yield value
            continue
        if len(field) < 8:
            raise _damaged("a ZIP64 size is missing")
        yield int.from_bytes(field[:8], "little")
        field = field[8:]


def _zip64_field(extra: bytes) -> bytes:
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<2H", extra)
        if kind == _ZIP64_FIELD:
            return extra[4 : 4 + size]
        extra = extra[4 + size :]
    return b""


def _check_header(head: bytes, name: bytes, record: Record) -> int:
    """The length of what stands between this header and the content (4.3.7)."""
    if len(head) < LOCAL.size:
        raise _damaged(f"{record.name!r} is cut off")
    signature, _, flags, method, _, _, crc, packed_size, size, name_size, extra_size = (
        LOCAL.unpack_from(head)
    )
    packed = record.packed
    same = (signature, method, crc, name_size) == (b"PK\3\4", packed.method, packed.crc, len(name))
    sizes = packed_size in (packed.packed_size, ZIP64_SIZE) and size in (packed.size, ZIP64_SIZE)
    if not (same and sizes) or head[LOCAL.size :] != name or flags & _ENCRYPTED:
        raise _damaged(f"the header of {record.name!r} is not what the directory says")
    return int(name_size + extra_size)


def _inflated(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in pieces:
            rest = piece
            while rest:
                yield inflater.decompress(rest, _CHUNK)
                rest = inflater.unconsumed_tail
        yield inflater.flush()
    except zlib.error as error:
        raise _damaged(f"{name!r} cannot be unpacked") from error
    if not inflater.eof or inflater.unused_data:
        raise _damaged(f"{name!r} is not packed to its end")


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) != size:
        raise _damaged("its directory is cut off")
    return content


def _decoded(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise _damaged(f"the name {name!r} is not UTF-8") from error


def _damaged(how: str) -> InvalidError:
    return InvalidError(f"The archive is damaged: {how}.")
