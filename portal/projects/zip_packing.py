"""How contents are packed: whole ones by libdeflate, streams by ISA-L; stored if it does not pay.

libdeflate packs tighter, but only what is in memory at once. Both let other threads run meanwhile.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

import deflate
from isal import isal_zlib

from portal.projects.zip_records import DEFLATED, STORED, Packed

SAMPLE = 16 * 1024
COMPRESSED_MEDIA = re.compile(
    r"\.(7z|aac|avi|avif|br|bz2|docx|epub|flac|gif|gz|heic|jar|jpe?g|jxl|m4[av]|mkv|mov|mp[34]"
    r"|od[pst]|ogg|opus|png|pptx|rar|tgz|web[mp]|woff2?|xlsx|xz|zip|zst)$",
    re.IGNORECASE,
)
_SMALL = 16 * 1024  # below this size the headers weigh more than what a higher level saves
_SMALL_LEVEL = 1
_WHOLE_LEVEL = 6
_NO_LEVEL = 0
_STREAM_LEVEL = 3


class PackedContent(NamedTuple):
    """One content as it lies in the archive; `sha256` in hex is that of the unpacked content."""

    facts: Packed
    body: bytes | bytearray
    sha256: str


def pack_all(names: Sequence[str], contents: Sequence[bytes]) -> list[PackedContent]:
    """Return each content deflated, or as it is where that is not shorter.

    The loops run in C, so that threads that pack at the same time hardly wait for one another.
    """
    levels = list(map(_level, names, contents))
    deflated = _deflated(contents, levels)
    checks = list(map(deflate.crc32, contents))
    digests = list(map(hashlib.sha256, contents))
    return [
        _shorter(content, body, crc, digest.hexdigest())
        for content, body, crc, digest in zip(contents, deflated, checks, digests, strict=True)
    ]


def shrinks(name: str, sample: bytes) -> bool:
    """Whether deflating pays: known media must shrink by a quarter, anything else by 3 %."""
    deflated = len(deflate.deflate_compress(sample, 1))
    limit = 0.75 if COMPRESSED_MEDIA.search(name) else 0.97
    return deflated < limit * len(sample)


class PackedStream:
    """Packs what comes in chunks and counts along; `method` is DEFLATED or STORED."""

    def __init__(self, method: int) -> None:
        self._method = method
        self._deflate = isal_zlib.compressobj(_STREAM_LEVEL, isal_zlib.DEFLATED, -15)
        self._digest = hashlib.sha256()
        self._crc = self._size = self._packed_size = 0

    def pack(self, chunk: bytes) -> bytes:
        """Return what `chunk` adds to the archive."""
        self._digest.update(chunk)
        self._crc = deflate.crc32(chunk, self._crc)
        self._size += len(chunk)
        packed: bytes = self._deflate.compress(chunk) if self._method == DEFLATED else chunk
        self._packed_size += len(packed)
        return packed

    def end(self) -> PackedContent:
        """Return the facts of the whole content and the last piece of its body."""
        rest: bytes = self._deflate.flush() if self._method == DEFLATED else b""
        packed_size = self._packed_size + len(rest)
        facts = Packed(self._method, self._crc, self._size, packed_size)
        return PackedContent(facts, rest, self._digest.hexdigest())


def _deflated(contents: Sequence[bytes], levels: Sequence[int]) -> Sequence[bytes | bytearray]:
    """Each content deflated; one without a level is not even copied."""
    if _NO_LEVEL not in levels:
        return list(map(deflate.deflate_compress, contents, levels))
    return [
        deflate.deflate_compress(content, level) if level else content
        for content, level in zip(contents, levels, strict=True)
    ]


def _level(name: str, content: bytes) -> int:
    size = len(content)
    if size < _SMALL:
        return _SMALL_LEVEL
    middle = content[size // 2 : size // 2 + SAMPLE]
    return _WHOLE_LEVEL if size <= SAMPLE * 4 or shrinks(name, middle) else _NO_LEVEL


def _shorter(content: bytes, body: bytes | bytearray, crc: int, sha256: str) -> PackedContent:
    size = len(content)
    if len(body) < size:
        return PackedContent(Packed(DEFLATED, crc, size, len(body)), body, sha256)
    return PackedContent(Packed(STORED, crc, size, size), content, sha256)
