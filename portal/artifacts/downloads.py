"""What a request for a file is answered: all of it, a part, nothing new, or no such part. Pure.

Sources: RFC 9110 (conditional and range requests), RFC 6266 and 8187 (names), RFC 9530 (digests).
"""

import base64
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.IGNORECASE)
_QUOTED = re.compile(r'[^\x20-\x7e]|["\\%]')
_ATTRIBUTE = "!#$&+-.^_`|~"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP status and which bytes go with it: from `start`, `length` of them."""

    status: int
    start: int = 0
    length: int = 0


def decide(
    *, size: int, etag: str, if_none_match: str = "", asked: str = "", if_range: str = ""
) -> Answer:
    """The answer to a request for a file of `size` bytes whose strong ETag (quoted) is `etag`.

    Several ranges at once, and ranges that make no sense, get the whole file, as the RFC allows.
    """
    if if_none_match and _matches(if_none_match, etag):
        return Answer(status=304)
    whole = Answer(status=200, length=size)
    if not asked or (if_range and if_range.strip() != etag):
        return whole
    match = _RANGE.fullmatch(asked.strip())
    if match is None or match.groups() == ("", ""):
        return whole
    first, last = match.groups()
    if first and last and int(last) < int(first):
        return whole
    start, stop = _bounds(first, last, size)
    if start >= stop:
        return Answer(status=416)
    return Answer(status=206, start=start, length=stop - start)


def disposition(name: str, *, inline: bool = False) -> str:
    """The Content-Disposition header for a file called `name`, whatever characters that has."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = _QUOTED.sub("_", ascii_name).strip() or "download"
    encoded = quote(name.encode("utf-8", "replace"), safe=_ATTRIBUTE)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def digest_header(sha256: str) -> str:
    """The Repr-Digest header for a file with this SHA-256 in hex."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"


class FilePart:
    """Some bytes of a file, in pieces; it is closed by whoever sends it.

    Opening raises FileNotFoundError where there is none; a link is none.
    """

    def __init__(self, path: Path, answer: Answer) -> None:
        self._left = answer.length
        self._handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        os.lseek(self._handle, answer.start, os.SEEK_SET)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = os.read(self._handle, min(CHUNK, self._left)) if self._left else b""
        if not chunk:
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        """Let go of the file; a second time does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _matches(if_none_match: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or "*" in tags


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size
