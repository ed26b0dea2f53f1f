"""Copying a file that lies somewhere else, unless somebody writes it meanwhile."""

import hashlib
import os
from pathlib import PurePosixPath
from typing import IO

from portal.accounts.permissions import Actor
from portal.errors import ConflictError
from portal.files import CHUNK, fsync_folder
from portal.imports.files import StoredFile, copy_for, drop_file, store_file
from portal.jobs.work import Work
from portal.rows.copies import Source
from portal.runtime import Runtime

WRITTEN = "The file is still being written: {path}"


def take_copy(work: Work, source: IO[bytes], *, path: str) -> Source:
    """Copy an open file, which people call `path`, for the attempt's batch.

    Raises ConflictError where somebody writes it meanwhile.
    """
    target = copy_for(work)
    digest, size = hashlib.sha256(), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    before = _stamp(source)
    with os.fdopen(os.open(target, flags, 0o600), "wb") as copy:
        while chunk := source.read(CHUNK):
            copy.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            work.progress(stage="Copying the file", done=size, unit="bytes")
            work.checkpoint()
        copy.flush()
        os.fsync(copy.fileno())
    if _stamp(source) != before:
        target.unlink()
        raise ConflictError(WRITTEN.format(path=path))
    fsync_folder(target.parent)
    return Source(path=target, size=size, sha256=digest.hexdigest())


def store_copy(runtime: Runtime, source: IO[bytes], *, path: str, actor: Actor) -> StoredFile:
    """Keep a copy of an open file, as if it had been sent.

    Raises as `store_file`, and ConflictError where somebody writes it meanwhile.
    """
    before = _stamp(source)
    name = PurePosixPath(path).name
    stored = store_file(runtime, stream=source, name=name, actor=actor)
    if _stamp(source) != before:
        drop_file(runtime.settings, file_id=stored.id)
        raise ConflictError(WRITTEN.format(path=path))
    return stored


def _stamp(source: IO[bytes]) -> tuple[int, int]:
    found = os.fstat(source.fileno())
    return found.st_size, found.st_mtime_ns
