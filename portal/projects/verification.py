"""Checking a finished export by re-opening it with an independent reader."""

import hashlib
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from portal.errors import InvalidError
from portal.projects.layout import MANIFEST
from portal.projects.manifest import read_entries

_CHUNK = 256 * 1024


def verify_zip(path: Path, *, project_id: str, on_bytes: Callable[[int], None]) -> int:
    """Re-hash every entry of the zip against its manifest; return the number of bytes read.

    Raises InvalidError, naming the entry, where anything is missing, extra or different.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _verify(archive, f"{project_id}/{MANIFEST}", on_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise InvalidError(f"The archive is damaged: {error}") from error


def _verify(archive: zipfile.ZipFile, manifest: str, on_bytes: Callable[[int], None]) -> int:
    if manifest not in archive.NameToInfo:
        raise InvalidError(f"The archive has no {manifest}.")
    expected = read_entries(archive.read(manifest))
    total = 0
    for info in archive.infolist():
        if info.filename == manifest:
            continue
        found = _measured(archive, info, on_bytes)
        if expected.pop(info.filename, None) != found:
            raise InvalidError(f"The archive's {info.filename!r} is not what its manifest says.")
        total += found[0]
    if expected:
        raise InvalidError(f"The archive lacks {next(iter(expected))!r}.")
    return total


def _measured(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, on_bytes: Callable[[int], None]
) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            on_bytes(len(chunk))
    return size, digest.hexdigest()
