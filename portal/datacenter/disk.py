"""The data centre's hand on the disk: no symbolic link is followed, no file is overwritten."""

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from portal.datacenter.distribution import free_name
from portal.datacenter.names import is_hidden
from portal.datacenter.steps import FOLDERS
from portal.errors import InvalidError
from portal.files import CHUNK, fsync_folder, move_new, private_folder

WORK = ".work"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A regular file as it was found in a folder; times in nanoseconds.

    `mtime_ns` is what people call its date; `changed_ns` is when anything of it changed last, which
    only the kernel sets.
    """

    path: Path
    size: int
    mtime_ns: int
    changed_ns: int

    @property
    def name(self) -> str:
        """Its name on disk."""
        return self.path.name


def make_folders(storage: Path) -> None:
    """Make the five folders; raises InvalidError where one cannot be a plain folder of this disk.

    A rename must reach all of them, so none may be a link or a file system of its own.
    """
    private_folder(storage)
    device = storage.stat().st_dev
    for folder in FOLDERS:
        path = storage / folder
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_dev != device:
            raise InvalidError(
                f"{path} must be a plain folder on the same file system as {storage}."
            )


def entries(folder: Path) -> list[Entry]:
    """The regular files that people see in a folder, by name; a folder that is gone has none."""
    try:
        with os.scandir(folder) as found:
            seen = [entry for entry in found if not is_hidden(entry.name)]
            return sorted(_regular(seen), key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def has_settled(entry: Entry, *, now: datetime, seconds: float) -> bool:
    """Whether nothing of a file has changed for so long that nobody is still writing it."""
    return now.timestamp() - entry.changed_ns / 1e9 >= seconds


def names_in(folder: Path) -> frozenset[str]:
    """All names that are taken in a folder, whatever has them."""
    return frozenset(path.name for path in folder.iterdir()) if folder.is_dir() else frozenset()


def find_entry(path: Path) -> Entry | None:
    """The regular file at `path` as it is now; None for anything else."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return _entry(path, found) if stat.S_ISREG(found.st_mode) else None


def get_entry(path: Path) -> Entry:
    """The regular file at `path`; raises FileNotFoundError for anything else."""
    entry = find_entry(path)
    if entry is None:
        raise FileNotFoundError(f"{path} is no regular file")
    return entry


def open_file(path: Path) -> int:
    """A handle for reading the regular file at `path`; raises OSError for a link or a device."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FileNotFoundError(f"{path} is no regular file")
    return handle


def digest_of(path: Path) -> str | None:
    """The SHA-256 of the regular file at `path`; None where there is none."""
    try:
        handle = open_file(path)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def stage(source: Path, target: Path) -> str:
    """Let `target` hold what `source` holds, durable, and return its SHA-256; `source` stays."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        _copy(source, target)
    handle = open_file(target)
    with os.fdopen(handle, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    return digest


def move_free(source: Path, target: Path) -> Path:
    """Move to `target`, or beside it under the next free number; returns where it came to lie."""
    taken: set[str] = set()
    while True:
        place = target.with_name(free_name(target.name, taken))
        try:
            move_new(source, place)
        except FileExistsError:
            taken.add(place.name)
        else:
            return place


def make_workspace(storage: Path, name: str) -> Path:
    """A hidden folder in the storage, so that a rename takes files from there to their place."""
    folder = storage / WORK / name
    while True:
        try:
            private_folder(folder)
        except FileNotFoundError:  # another's end removed the folder above
            continue
        fsync_folder(storage)
        return folder


def drop_workspace(storage: Path, name: str) -> None:
    """Remove a workspace with what is in it, and the folder above once none is left."""
    shutil.rmtree(storage / WORK / name, ignore_errors=True)
    with contextlib.suppress(OSError):  # others have theirs
        (storage / WORK).rmdir()


def make_durable(workspace: Path) -> None:
    """Let the names in a workspace, and its own, survive a power cut."""
    for folder in (workspace, workspace.parent, workspace.parent.parent):
        fsync_folder(folder)


def _regular(found: Iterable[os.DirEntry[str]]) -> Iterator[Entry]:
    for entry in found:
        with contextlib.suppress(FileNotFoundError):  # it was moved a moment ago
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                yield _entry(Path(entry.path), status)


def _entry(path: Path, found: os.stat_result) -> Entry:
    return Entry(
        path=path,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        changed_ns=found.st_ctime_ns,
    )


def _copy(source: Path, target: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with (
        os.fdopen(open_file(source), "rb") as old,
        os.fdopen(os.open(target, flags, 0o600), "wb") as new,
    ):
        shutil.copyfileobj(old, new, CHUNK)
        times = os.fstat(old.fileno())
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
