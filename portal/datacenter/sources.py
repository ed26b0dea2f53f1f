"""The copies of files that batches of the data centre read: taken once, and hashed."""

import hashlib
import os
from pathlib import Path

from portal.datacenter.folders import DataCenterFile
from portal.errors import ConflictError
from portal.files import CHUNK, fsync_folder, private_folder
from portal.jobs.work import Work
from portal.rows.copies import Source, sources_folder
from portal.tabular.opening import open_stored

CHANGED = "The file was changed after it was looked at; look at it again and ask anew."


def keep_source(work: Work, file: DataCenterFile, *, sha256: str = "") -> Source:
    """Copy `file` for the job; raises ConflictError where it is not the one with `sha256`.

    Each attempt copies anew, under a name of its own; what an earlier one left is swept later.
    """
    folder = private_folder(sources_folder(work.runtime.settings))
    target = folder / f"{work.claim.job_id}-{work.claim.token}"
    source = _copy(file.path, target, work)
    if sha256 and source.sha256 != sha256:
        target.unlink()
        raise ConflictError(CHANGED)
    fsync_folder(folder)
    return source


def _copy(path: Path, target: Path, work: Work) -> Source:
    digest, size = hashlib.sha256(), 0
    total = path.stat(follow_symlinks=False).st_size
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open_stored(path) as source, os.fdopen(os.open(target, flags, 0o600), "wb") as copy:
        while chunk := source.read(CHUNK):
            copy.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            work.progress(stage="Copying the file", done=size, total=total, unit="bytes")
            work.checkpoint()
        copy.flush()
        os.fsync(copy.fileno())
    return Source(path=target, size=size, sha256=digest.hexdigest())
