"""Files that are imported by their path: below a folder that the settings allow, and no link."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from portal.accounts.permissions import Actor
from portal.errors import ForbiddenError, NotFoundError
from portal.imports.copying import store_copy, take_copy
from portal.imports.files import StoredFile
from portal.imports.paths import place_of_folder, place_of_path
from portal.imports.words import MISSING
from portal.jobs.work import Work
from portal.rows.copies import Source
from portal.runtime import Runtime
from portal.settings import Settings

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


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
    """Copy the file at `path` for the attempt's batch. Raises as `open_allowed` and `take_copy`."""
    with open_allowed(work.runtime.settings, path) as source:
        return take_copy(work, source, path=path)


def store_from_folder(runtime: Runtime, *, path: str, actor: Actor) -> StoredFile:
    """Keep a copy of the file at `path`, as if it had been sent.

    Raises as `open_allowed` and `store_copy`.
    """
    with open_allowed(runtime.settings, path) as source:
        return store_copy(runtime, source, path=path, actor=actor)


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
