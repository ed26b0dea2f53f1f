"""Files that are imported by their path: below a folder that the settings allow, and no link."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from portal.accounts.permissions import Actor
from portal.errors import ConflictError, ForbiddenError, NotFoundError
from portal.files import CHUNK, fsync_folder
from portal.imports.files import StoredFile, copy_for, drop_file, store_file
from portal.imports.paths import place_of_folder, place_of_path
from portal.jobs.work import Work
from portal.rows.copies import Source
from portal.runtime import Runtime
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
    if _stamp(before) != _stamp(after):
        target.unlink()
        raise ConflictError(WRITTEN.format(path=path))
    fsync_folder(target.parent)
    return Source(path=target, size=size, sha256=digest.hexdigest())


def store_from_folder(runtime: Runtime, *, path: str, actor: Actor) -> StoredFile:
    """Keep a copy of the file at `path`, as if it had been sent.

    Raises as `open_allowed` and `store_file`, and ConflictError where somebody writes it meanwhile.
    """
    with open_allowed(runtime.settings, path) as source:
        before = os.fstat(source.fileno())
        name = PurePosixPath(path).name
        stored = store_file(runtime, stream=source, name=name, actor=actor)
        if _stamp(before) != _stamp(os.fstat(source.fileno())):
            drop_file(runtime.settings, file_id=stored.id)
            raise ConflictError(WRITTEN.format(path=path))
    return stored


@contextmanager
def open_folder(settings: Settings, path: str) -> Iterator[int]:
    """The handle of an allowed folder, or of one below it; no link is followed on the way.

    Raises ForbiddenError and NotFoundError.
    """
    folder, parts = place_of_folder(settings, path)
    try:
        handle = _opened_folder(folder, parts)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"There is no folder {path}.") from None
    except OSError as error:
        raise ForbiddenError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        yield handle
    finally:
        os.close(handle)


def _opened(folder: Path, parts: tuple[str, ...]) -> int:
    at = _opened_folder(folder, parts[:-1])
    try:
        return os.open(parts[-1], _FLAGS, dir_fd=at)
    finally:
        os.close(at)


def _opened_folder(folder: Path, parts: tuple[str, ...]) -> int:
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for name in parts:
        try:
            inner = os.open(name, _FLAGS | os.O_DIRECTORY, dir_fd=at)
        finally:
            os.close(at)
        at = inner
    return at


def _stamp(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns
