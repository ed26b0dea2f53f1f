"""Checking a finished export by re-opening it with an independent reader."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from portal.errors import InvalidError
from portal.projects.layout import MANIFEST
from portal.projects.manifest import Listed, read_entries
from portal.projects.zip_reader import Record, ZipReader


def verify_zip(path: Path, *, project_id: str, on_bytes: Callable[[int], None]) -> int:
    """Re-hash every entry of the zip against its manifest; return the number of bytes read.

    Directory and manifest are read in step, so that neither is ever whole in memory. Raises
    InvalidError, naming the entry, where anything is missing, extra, out of turn or different.
    """
    with ZipReader(path) as archive:
        manifest = _find(archive, f"{project_id}/{MANIFEST}")
        expected = read_entries(archive.content(manifest))
        total = 0
        for record in archive.records():
            if record == manifest:
                continue
            found = _measured(record.name, archive.content(record), on_bytes)
            if next(expected, None) != found:
                raise InvalidError(f"The archive's {record.name!r} is not what its manifest says.")
            total += record.packed.size
        missing = next(expected, None)
    if missing is not None:
        raise InvalidError(f"The archive lacks {missing.path!r}.")
    return total


def _find(archive: ZipReader, name: str) -> Record:
    found = None
    for record in archive.records():
        if record.name == name:
            found = record
    if found is None:
        raise InvalidError(f"The archive has no {name}.")
    return found


def _measured(name: str, content: Iterator[bytes], on_bytes: Callable[[int], None]) -> Listed:
    digest, size = hashlib.sha256(), 0
    for piece in content:
        digest.update(piece)
        size += len(piece)
        on_bytes(len(piece))
    return Listed(name, size, digest.hexdigest())
