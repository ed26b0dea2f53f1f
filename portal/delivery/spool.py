"""The spool: a folder with `tmp`, `new` and `cur`. A file is written in `tmp` and then only moved.

Each move is one rename that overwrites nothing, so that whatever is killed, a file is in one place.
"""

import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import StrEnum
from io import BufferedWriter, FileIO
from itertools import count
from pathlib import Path

from portal.delivery.names import check_spool_name, kept_name, numbered
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.files import fsync_folder, move_new, rename_new


class Space(StrEnum):
    """A place in a spool. `quarantine` is made when the first file needs it."""

    TMP = "tmp"
    NEW = "new"
    CUR = "cur"
    QUARANTINE = "quarantine"


STANDARD = (Space.TMP, Space.NEW, Space.CUR)


class SpoolFile(BufferedWriter):
    """A file in `tmp`, new or to be gone on with at its end; once closed, it is on the disk."""

    def __init__(self, path: Path, *, goes_on: bool = False) -> None:
        how = os.O_APPEND if goes_on else os.O_CREAT | os.O_EXCL
        flags = os.O_WRONLY | how | os.O_NOFOLLOW | os.O_CLOEXEC
        super().__init__(FileIO(os.open(path, flags, 0o600), "wb"))
        self._folder = path.parent

    def close(self) -> None:
        """Write what is left, and wait until the disk has it."""
        if not self.closed:
            self.flush()
            os.fsync(self.fileno())
            fsync_folder(self._folder)
        super().close()


class Spool:
    """A spool at `root`. Names are checked wherever one is given."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def prepare(self) -> None:
        """Make the folders where they are missing; and end a move that a crash cut in two."""
        for space in STANDARD:
            (self.root / space).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._end_moves()

    def create(self, name: str) -> SpoolFile:
        """Open a new file in `tmp`; raise ConflictError where one of that name stands there."""
        path = self.path(name, Space.TMP)
        try:
            return SpoolFile(path)
        except FileExistsError as error:
            raise ConflictError(f"{name!r} is already being written in 'tmp'.") from error

    def move(self, name: str, source: Space | str, target: Space | str) -> None:
        """Move a file in one step. Raises NotFoundError, and ConflictError where `target` has it.

        Both files stay as they are where it raises.
        """
        origin = self.path(name, source)
        _move(origin, self.path(name, target))

    def put_away(self, name: str, source: Space, target: Space) -> str:
        """Move a file to where earlier ones may have its name; return the one that it has there.

        Here also a file can go whose name is refused; it gets one that is not.
        """
        kept_as = self.put_all_away([name], source, target)[name]
        if kept_as is None:
            raise NotFoundError(f"There is no file {name!r} in '{source}'.")
        return kept_as

    def put_all_away(
        self, names: Sequence[str], source: Space, target: Space
    ) -> dict[str, str | None]:
        """The same for many files, None for those that are gone; then all of it is on the disk."""
        (self.root / target).mkdir(exist_ok=True, mode=0o700)
        kept = {name: self._put_away(name, source, target) for name in names}
        for space in (target, source):
            fsync_folder(self.root / space)
        return kept

    def names(self, space: Space | str) -> list[str]:
        """The names of the files in `space`, sorted; those that are refused are not among them."""
        return [name for name in self._all(Space(space)) if _why_refused(name) is None]

    def refused(self, space: Space | str) -> dict[str, str]:
        """Files whose names cannot be delivered, with the reason of each."""
        reasons = {name: _why_refused(name) for name in self._all(Space(space))}
        return {name: reason for name, reason in reasons.items() if reason is not None}

    def remove(self, name: str, space: Space | str) -> None:
        """Remove a file for good; raise NotFoundError where there is none."""
        path = self.path(name, Space(space))
        try:
            path.unlink()
        except FileNotFoundError as error:
            raise NotFoundError(f"There is no file {name!r} in {str(space)!r}.") from error
        fsync_folder(path.parent)

    def prune(self, space: Space, *, before: datetime) -> list[str]:
        """Remove files that came into `space` before then; return their names, sorted."""
        old = [name for name in self._all(space) if self._came(name, space) < before.timestamp()]
        for name in old:
            (self.root / space / name).unlink(missing_ok=True)
        if old:
            fsync_folder(self.root / space)
        return old

    def path(self, name: str, space: Space | str) -> Path:
        """Where a file of that name is in `space`; raise InvalidError where it may not be so."""
        return self.root / Space(space) / check_spool_name(name)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only one on this machine who works on the spool; else raise SpoolBusyError.

        The kernel lets go of it when its holder dies.
        """
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _lock(handle, self.root)
            yield
        finally:
            os.close(handle)

    def _put_away(self, name: str, source: Space, target: Space) -> str | None:
        path = f"{self.root}/{source}/{name}"
        if "/" in name or not _is_file(path):
            return None
        wanted = name if _why_refused(name) is None else kept_name(name)
        for number in count(1):
            free = numbered(wanted, number)
            with suppress(FileExistsError):
                rename_new(path, f"{self.root}/{target}/{free}")
                return free
        raise AssertionError("numbers have no end")

    def _all(self, space: Space) -> list[str]:
        try:
            with os.scandir(self.root / space) as found:
                return sorted(entry.name for entry in found if entry.is_file(follow_symlinks=False))
        except FileNotFoundError:
            return []

    def _came(self, name: str, space: Space) -> float:
        try:
            return (self.root / space / name).stat().st_ctime
        except FileNotFoundError:
            return float("inf")

    def _end_moves(self) -> None:
        """Where a rename is a link and an unlink (NFS), a crash between leaves a file in both."""
        seen: dict[int, Path] = {}
        for space in (Space.QUARANTINE, Space.CUR, Space.NEW, Space.TMP):
            for name in self._all(space):
                path = self.root / space / name
                facts = path.stat()
                if facts.st_nlink > 1 and seen.setdefault(facts.st_ino, path) != path:
                    path.unlink()
                    fsync_folder(path.parent)


class SpoolBusyError(ConflictError):
    """Another process of this machine works on the spool now."""


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def _move(origin: Path, place: Path) -> None:
    try:
        move_new(origin, place)
    except FileExistsError as error:
        raise ConflictError(f"'{place.parent.name}' already has a file {place.name!r}.") from error
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no file {origin.name!r} in '{origin.parent.name}'."
        ) from error


def _lock(handle: int, root: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SpoolBusyError(f"Another process is working on the spool {root}.") from error


def _why_refused(name: str) -> str | None:
    try:
        check_spool_name(name)
    except InvalidError as error:
        return str(error)
    return None
