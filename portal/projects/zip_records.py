"""The records of the ZIP format as bytes; section numbers are those of PKWARE's APPNOTE 6.3.10."""

import struct
from datetime import datetime
from typing import NamedTuple

STORED = 0
DEFLATED = 8
ZIP64_SIZE = 0xFFFFFFFF
ZIP64_COUNT = 0xFFFF
_UTF8_NAME = 0x0800
_MADE_BY_UNIX = 3 << 8
_REGULAR_FILE = 0o100644 << 16
_PLAIN, _ZIP64 = 20, 45
LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
END64 = struct.Struct("<4sQ2H2I4Q")
LOCATOR64 = struct.Struct("<4sIQI")


class Packed(NamedTuple):
    """How one entry lies in the archive: sizes in bytes, `method` STORED or DEFLATED."""

    method: int
    crc: int
    size: int
    packed_size: int


def dos_time(moment: datetime) -> tuple[int, int]:
    """Return date and time of `moment` as the format keeps them (4.4.6), within 1980 to 2107."""
    if moment.year < 1980:
        return (1 << 5) | 1, 0
    if moment.year > 2107:
        return (127 << 9) | (12 << 5) | 31, (23 << 11) | (59 << 5) | 29
    date = (moment.year - 1980) << 9 | moment.month << 5 | moment.day
    return date, moment.hour << 11 | moment.minute << 5 | moment.second // 2


def local_header(name: bytes, packed: Packed, when: tuple[int, int], *, wide: bool) -> bytes:
    """Return the header before an entry (4.3.7); `wide` keeps the sizes in a ZIP64 field."""
    date, time = when
    size, packed_size, extra = packed.size, packed.packed_size, b""
    if wide:
        extra = struct.pack("<2H2Q", 1, 16, size, packed_size)
        size = packed_size = ZIP64_SIZE
    version = _ZIP64 if wide else _PLAIN
    head = LOCAL.pack(
        b"PK\3\4", version, _UTF8_NAME, packed.method, time, date,
        packed.crc, packed_size, size, len(name), len(extra),
    )  # fmt: skip
    return head + name + extra


def central_header(name: bytes, packed: Packed, when: tuple[int, int], offset: int) -> bytes:
    """Return the directory's record of an entry (4.3.12); what exceeds 32 bits goes to ZIP64."""
    date, time = when
    version, extra = _PLAIN, b""
    if max(packed.size, packed.packed_size, offset) >= ZIP64_SIZE:
        wide = [value for value in (packed.size, packed.packed_size, offset) if value >= ZIP64_SIZE]
        version, extra = _ZIP64, struct.pack(f"<2H{len(wide)}Q", 1, 8 * len(wide), *wide)
    head = CENTRAL.pack(
        b"PK\1\2", _MADE_BY_UNIX | version, version, _UTF8_NAME, packed.method, time, date,
        packed.crc, min(packed.packed_size, ZIP64_SIZE), min(packed.size, ZIP64_SIZE),
        len(name), len(extra), 0, 0, 0, _REGULAR_FILE, min(offset, ZIP64_SIZE),
    )  # fmt: skip
    return head + name + extra


def end_records(*, count: int, size: int, offset: int) -> bytes:
    """Return the end of the archive (4.3.14 to 4.3.16) for a directory of `count` records."""
    wide = b""
    if count >= ZIP64_COUNT or size >= ZIP64_SIZE or offset >= ZIP64_SIZE:
        wide = END64.pack(
            b"PK\6\6", 44, _MADE_BY_UNIX | _ZIP64, _ZIP64, 0, 0, count, count, size, offset
        ) + LOCATOR64.pack(b"PK\6\7", 0, offset + size, 1)
    few = min(count, ZIP64_COUNT)
    return wide + END.pack(
        b"PK\5\6", 0, 0, few, few, min(size, ZIP64_SIZE), min(offset, ZIP64_SIZE), 0
    )
