"""What an XLS file says about its errors and negative dates, which the reader of XLS leaves out.

[MS-CFB] for the container, [MS-XLS] 2.4 for the records.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from portal.tabular.sheets.errors import damaged

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!"}
_ERRORS |= {42: "#N/A", 43: "#GETTING_DATA"}
_EOF, _BOUNDSHEET, _FORMULA, _NUMBER, _BOOLERR, _RK, _MULRK = (
    0x0A,
    0x85,
    0x06,
    0x203,
    0x205,
    0x27E,
    0xBD,
)
_BOF = 0x809
_FILEPASS = 0x2F
_NO_SECTOR = 0xFFFFFFFA
_DIRECTORY_ENTRY = 128
_SMALL = 4096
Position = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Notes:
    """Of one sheet, by (row, column) from 0: its errors, and its numbers below nought."""

    errors: dict[Position, str] = field(default_factory=dict)
    negatives: dict[Position, float] = field(default_factory=dict)


def streams(data: bytes) -> dict[str, bytes]:
    """Return the names of the streams in a compound file, each with what holds it whole."""
    return _Container(data).streams()


def is_locked(workbook: bytes) -> bool:
    """Say whether what follows the workbook's first records is enciphered."""
    return any(kind == _FILEPASS for kind, _body in _records(workbook, 0))


def notes_of(workbook: bytes, place: int) -> Notes:
    """Return what the sheet at `place` among the workbook's sheets says."""
    starts = [
        struct.unpack_from("<I", body)[0]
        for kind, body in _records(workbook, 0)
        if kind == _BOUNDSHEET and len(body) >= 4
    ]
    notes = Notes()
    if place < len(starts):
        for kind, body in _records(workbook, starts[place]):
            _note(notes, kind, body)
    return notes


def _records(data: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records up to the end of the substream that begins at `start`."""
    place, depth = start, 0
    while place + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, place)
        yield kind, data[place + 4 : place + 4 + size]
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 0:
            return
        place += 4 + size


def _note(notes: Notes, kind: int, body: bytes) -> None:
    if kind == _BOOLERR and len(body) >= 8 and body[7]:
        notes.errors[_position(body)] = _ERRORS.get(body[6], "#ERROR!")
    elif kind == _FORMULA and len(body) >= 14:
        if body[12:14] == b"\xff\xff":
            if body[6] == 2:
                notes.errors[_position(body)] = _ERRORS.get(body[8], "#ERROR!")
        else:
            _note_number(notes, _position(body), struct.unpack_from("<d", body, 6)[0])
    elif kind == _NUMBER and len(body) >= 14:
        _note_number(notes, _position(body), struct.unpack_from("<d", body, 6)[0])
    elif kind == _RK and len(body) >= 10:
        _note_number(notes, _position(body), _rk(struct.unpack_from("<I", body, 6)[0]))
    elif kind == _MULRK:
        row, first = struct.unpack_from("<HH", body)
        for number in range((len(body) - 6) // 6):
            raw = struct.unpack_from("<I", body, 6 + number * 6)[0]
            _note_number(notes, (row, first + number), _rk(raw))


def _position(body: bytes) -> Position:
    row, column = struct.unpack_from("<HH", body)
    return row, column


def _note_number(notes: Notes, position: Position, value: float) -> None:
    if value < 0:
        notes.negatives[position] = value


def _rk(raw: int) -> float:
    """Decode the short form of a number ([MS-XLS] 2.5.217)."""
    if raw & 2:
        value = float(raw >> 2 if raw < 0x80000000 else (raw >> 2) - 0x40000000)
    else:
        value = struct.unpack("<d", b"\0\0\0\0" + struct.pack("<I", raw & 0xFFFFFFFC))[0]
    return value / 100 if raw & 1 else value


class _Container:
    """A compound file: sectors in chains, a directory of streams, small ones packed in another."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 512 or not data.startswith(SIGNATURE):
            raise damaged("it is no compound file")
        self._data = data
        shift = struct.unpack_from("<H", data, 30)[0]
        if shift not in (9, 12):
            raise damaged("its sectors")
        self._size = 1 << shift
        self._table = self._read_table()

    def streams(self) -> dict[str, bytes]:
        first = struct.unpack_from("<I", self._data, 48)[0]
        directory = self._chain(first)
        entries = [
            directory[at : at + _DIRECTORY_ENTRY]
            for at in range(0, len(directory) - _DIRECTORY_ENTRY + 1, _DIRECTORY_ENTRY)
        ]
        if not entries:
            raise damaged("its directory is empty")
        small = self._small(entries[0])
        return {_name(entry): self._content(entry, small) for entry in entries if entry[66] == 2}

    def _content(self, entry: bytes, small: "_Small") -> bytes:
        start, size = struct.unpack_from("<II", entry, 116)
        return small.read(start)[:size] if size < _SMALL else self._chain(start)[:size]

    def _small(self, root: bytes) -> "_Small":
        start = struct.unpack_from("<I", root, 116)[0]
        table = self._chain(struct.unpack_from("<I", self._data, 60)[0])
        return _Small(self._chain(start), _numbers(table))

    def _read_table(self) -> tuple[int, ...]:
        count = struct.unpack_from("<I", self._data, 44)[0]
        sectors = [*struct.unpack_from("<109I", self._data, 76)]
        following = struct.unpack_from("<I", self._data, 68)[0]
        while following < _NO_SECTOR and len(sectors) < count:
            *more, following = _numbers(self._sector(following))
            sectors += more
        return _numbers(b"".join(self._sector(s) for s in sectors[:count] if s < _NO_SECTOR))

    def _sector(self, number: int) -> bytes:
        return self._data[(number + 1) * self._size : (number + 2) * self._size]

    def _chain(self, first: int) -> bytes:
        return b"".join(self._sector(s) for s in _follow(self._table, first))


@dataclass(frozen=True)
class _Small:
    stream: bytes
    table: tuple[int, ...]

    def read(self, first: int) -> bytes:
        return b"".join(self.stream[s * 64 : (s + 1) * 64] for s in _follow(self.table, first))


def _follow(table: tuple[int, ...], first: int) -> Iterator[int]:
    number, left = first, len(table)
    while number < len(table):
        if not left:
            raise damaged("a chain of its sectors has no end")
        left -= 1
        yield number
        number = table[number]


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _name(entry: bytes) -> str:
    length = min(struct.unpack_from("<H", entry, 64)[0], 64)
    return entry[: max(length - 2, 0)].decode("utf-16-le", "replace")
