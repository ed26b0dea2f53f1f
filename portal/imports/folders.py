"""Files that are imported by their path: below a folder that the settings allow, and no link."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from portal.errors import ConflictError, ForbiddenError, NotFoundError
from portal.files import CHUNK, fsync_folder
from portal.imports.files import copy_for
from portal.imports.paths import place_of_path
from portal.jobs.work import Work
from portal.rows.copies import Source
from portal.settings import Settings

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
MISSING = "The expected file is not there: {path}"
WRITTEN = "The file is still being written: {path}"


@contextmanager
def open_allowed(settings: Settings, path: str) -> Iterator[IO[bytes]]:
    """The file at `path`. No link is followed on the way from the allowed folder to it.

    Raises ForbiddenError where it is not below such a folder, or a link, and NotFoundError.
    """
    folder, parts = place_of_path(settings, path)
    try:
        handle = _opened(folder, parts)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(MISSING.format(path=path)) from None
    except OSError as error:
        raise ForbiddenError(f"{path} cannot be read: {error.strerror}.") from None
    with os.fdopen(handle, "rb", 0) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise ForbiddenError(f"{path} is no file, but a folder or a device.")
        yield stream


def take_from_folder(work: Work, *, path: str) -> Source:
    """Copy the file at `path` for the attempt's batch.

    Raises as `open_allowed`, and ConflictError where somebody writes it meanwhile.
    """
    target = copy_for(work)
    digest, size = hashlib.sha256(), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open_allowed(work.runtime.settings, path) as source:
        before = os.fstat(source.fileno())
        with os.fdopen(os.open(target, flags, 0o600), "wb") as copy:
            while chunk := source.read(CHUNK):
                copy.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                work.progress(stage="Copying the file", done=size, unit="bytes")
                work.checkpoint()
            copy.flush()
            os.fsync(copy.fileno())
        after = os.fstat(source.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        target.unlink()
        raise ConflictError(WRITTEN.format(path=path))
    fsync_folder(target.parent)
    return Source(path=target, size=size, sha256=digest.hexdigest())


def _opened(folder: Path, parts: tuple[str, ...]) -> int:
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for name in parts[:-1]:
        try:
            inner = os.open(name, _FLAGS | os.O_DIRECTORY, dir_fd=at)
        finally:
            os.close(at)
        at = inner
    try:
        return os.open(parts[-1], _FLAGS, dir_fd=at)
    finally:
        os.close(at)
