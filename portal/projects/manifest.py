"""The list of everything in an export, written last: path, size and SHA-256 of each entry."""

import json
import tempfile
from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from portal.errors import InvalidError
from portal.projects.zip_writer import Entry

SCHEMA = 1
_encode = json.JSONEncoder(ensure_ascii=False).encode
_IN_MEMORY = 4 * 1024 * 1024


class Manifest:
    """Collects entries as they are written, beyond a few megabytes on disk; a context manager."""

    def __init__(self, *, project_id: str, portal_version: str, made_at: datetime) -> None:
        facts = {
            "schema": SCHEMA,
            "portal": portal_version,
            "project": project_id,
            "created": made_at.isoformat(),
        }
        self._lines = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self._lines.write(json.dumps(facts)[:-1].encode() + b', "entries": [')
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
        self._lines.write(self._separator + f"{{{line}{more}}}".encode())
        self._separator = b",\n"
        self.count += 1

    def chunks(self) -> Iterator[bytes]:
        """Yield the manifest as JSON."""
        self._lines.write(b"\n]}\n")
        self._lines.seek(0)
        while chunk := self._lines.read(256 * 1024):
            yield chunk


def read_entries(content: bytes) -> dict[str, tuple[int, str]]:
    """Return size and SHA-256 by path; raise InvalidError for what is no manifest of ours."""
    try:
        manifest = json.loads(content)
        schema = manifest["schema"]
        entries = {line["path"]: (line["size"], line["sha256"]) for line in manifest["entries"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidError("The archive's manifest.json cannot be read.") from error
    if schema != SCHEMA:
        raise InvalidError(f"The archive's manifest has schema {schema!r}; {SCHEMA} is known here.")
    return entries
