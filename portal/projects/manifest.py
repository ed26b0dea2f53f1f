"""The list of everything in an export, written last: path, size and SHA-256 of each entry."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Any, NamedTuple, Self

from portal.errors import InvalidError
from portal.projects.gathered import Gathered
from portal.projects.zip_writer import Entry

SCHEMA = 1
_encode = json.JSONEncoder(ensure_ascii=False).encode
_LINE_BYTES = 1024 * 1024
_END = b"]}"


class Listed(NamedTuple):
    """What a manifest says of one entry; none of it where it does not say."""

    path: str | None
    size: int | None
    sha256: str | None


class Manifest:
    """Collects entries as they are written, beyond a few megabytes on disk; a context manager."""

    def __init__(self, *, project_id: str, portal_version: str, made_at: datetime) -> None:
        facts = {
            "schema": SCHEMA,
            "portal": portal_version,
            "project": project_id,
            "created": made_at.isoformat(),
        }
        self._lines = Gathered()
        self._lines.add(json.dumps(facts)[:-1].encode() + b', "entries": [')
        self._separator = b"\n"
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.close()

    def add(self, entry: Entry, /, **facts: str) -> None:
        """Note `entry` with further facts, such as the page's name and title."""
        more = "".join(f',"{key}":{_encode(value)}' for key, value in facts.items())
        line = f'"path":{_encode(entry.name)},"size":{entry.size},"sha256":"{entry.sha256}"'
        self._lines.add(self._separator + f"{{{line}{more}}}".encode())
        self._separator = b",\n"
        self.count += 1

    def chunks(self) -> Iterator[bytes]:
        """The manifest as JSON, piece by piece; nothing can be added afterwards."""
        self._lines.add(b"\n" + _END + b"\n")
        return self._lines.chunks()


def read_entries(chunks: Iterable[bytes]) -> Iterator[Listed]:
    """Yield the entries of a manifest that `Manifest` wrote, line by line.

    Raises InvalidError for what is no such manifest, at the latest where it ends.
    """
    lines = _lines(chunks)
    schema = _parsed(next(lines, b"") + b"]}").get("schema")
    if schema != SCHEMA:
        raise InvalidError(f"The archive's manifest has schema {schema!r}; {SCHEMA} is known here.")
    for line in lines:
        if line == _END:
            break
        entry = _parsed(line.removesuffix(b","))
        yield Listed(entry.get("path"), entry.get("size"), entry.get("sha256"))
    else:
        raise InvalidError("The archive's manifest.json is cut off.")
    if next(lines, b""):
        raise InvalidError("The archive's manifest.json goes on after its end.")


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        if len(rest) > _LINE_BYTES:
            raise _unreadable()
    yield rest


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        facts = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _unreadable() from error
    if not isinstance(facts, dict):
        raise _unreadable()
    return facts


def _unreadable() -> InvalidError:
    return InvalidError("The archive's manifest.json cannot be read.")
