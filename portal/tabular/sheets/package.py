"""The zip file that an XLSX or ODS is: looked at before it is believed, and read in pieces."""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO
from xml.parsers import expat

from portal.tabular.sheets.errors import damaged, locked
from portal.tabular.table import TableError

PIECE = 65_536
_END = b"PK\x05\x06"
_END_RECORD = struct.Struct("<4s4H2LH")
_END_SEARCH = 65_557
_ENCRYPTED = 0x1
_TOO_MUCH = "The spreadsheet is packed in a way that no program packs one, and would grow too large"


@dataclass(frozen=True, kw_only=True)
class PackageLimits:
    """What a package may hold, in bytes where nothing else is said.

    `held` bounds each part that is held in memory as a whole, `ratio` how many times larger than
    packed a part above `ratio_from` may be.
    """

    entries: int = 10_000
    directory: int = 4 * 1024**2
    unpacked: int = 4 * 1024**3
    held: int = 512 * 1024**2
    ratio: int = 500
    ratio_from: int = 10 * 1024**2


LIMITS = PackageLimits()


class Package:
    """A checked zip file; parts are found by name, whatever their case."""

    def __init__(self, archive: zipfile.ZipFile, limits: PackageLimits) -> None:
        self._archive = archive
        self._limits = limits
        self._entries = {entry.filename.lower(): entry for entry in archive.infolist()}

    def has(self, name: str) -> bool:
        """Say whether there is such a part."""
        return name.lower() in self._entries

    def names(self) -> list[str]:
        """Return the names of all parts, in lower case."""
        return list(self._entries)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a part to be read in pieces; raises TableError where it is missing or broken."""
        entry = self._entries.get(name.lower())
        if entry is None:
            raise damaged(f"{name} is missing")
        try:
            with self._archive.open(entry) as stream:
                yield stream
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise damaged(name) from error
        except expat.ExpatError as error:
            raise _of_xml(name, error) from error

    @contextmanager
    def open_held(self, name: str) -> Iterator[IO[bytes]]:
        """Open a part as `open` does if it is small enough to be held in memory."""
        entry = self._entries.get(name.lower())
        if entry is not None and entry.file_size > self._limits.held:
            raise TableError(f"{_TOO_MUCH} ({name}).")
        with self.open(name) as stream:
            yield stream

    def parse(self, name: str, prepare: Callable[["expat.XMLParserType"], None]) -> None:
        """Run a whole part, small enough to be held in memory, through an XML parser."""
        with self.open_held(name) as stream:
            parser = new_parser()
            prepare(parser)
            while piece := stream.read(PIECE):
                parser.Parse(piece, False)
            parser.Parse(b"", True)


@contextmanager
def open_package(stream: IO[bytes], *, limits: PackageLimits = LIMITS) -> Iterator[Package]:
    """Open the zip file in `stream`; raises TableError for one that is broken, locked or a bomb."""
    _check_directory(stream, limits)
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, struct.error, OverflowError) as error:
        raise damaged("its list of parts") from error
    with archive:
        _check_entries(archive, limits)
        yield Package(archive, limits)


def new_parser() -> "expat.XMLParserType":
    """Return a parser that refuses document types, and with them all entities of a file's own."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = PIECE
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def local(name: str) -> str:
    """Return an XML name without its prefix."""
    return name.rpartition(":")[2]


def _check_directory(stream: IO[bytes], limits: PackageLimits) -> None:
    """Look at the end of the file only: the directory itself may be made to fill the memory."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END_SEARCH))
    tail = stream.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_RECORD.size:
        raise damaged("its end is missing; perhaps the upload broke off")
    _, _, _, _, entries, directory, _, _ = _END_RECORD.unpack_from(tail, place)
    if entries > limits.entries or directory > limits.directory:
        raise TableError(f"{_TOO_MUCH} (it has more than {limits.entries:,} parts).")
    stream.seek(0)


def _check_entries(archive: zipfile.ZipFile, limits: PackageLimits) -> None:
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise TableError(f"{_TOO_MUCH} (it has more than {limits.entries:,} parts).")
    if sum(entry.file_size for entry in entries) > limits.unpacked:
        raise TableError(f"{_TOO_MUCH} (over {limits.unpacked // 1024**2:,} MB).")
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED:
            raise locked()
        large = entry.file_size > limits.ratio_from
        if large and entry.file_size > limits.ratio * max(entry.compress_size, 1):
            raise TableError(f"{_TOO_MUCH} ({entry.filename[:100]}).")


def _refuse_doctype(*_declaration: object) -> None:
    raise damaged("it declares a document type, which no spreadsheet does")


def _of_xml(name: str, error: expat.ExpatError) -> TableError:
    if error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]:
        raise MemoryError
    return damaged(f"{name}, line {error.lineno}")
