"""Where the storage is: one row, and what may be chosen for it."""

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.datacenter.models import DataCenterPlace
from portal.datacenter.names import EXTENSIONS
from portal.datacenter.steps import FOLDERS
from portal.errors import InvalidError
from portal.settings import Settings

DEFAULT = "datacenter"
NAMED = 3
LOST_AND_FOUND = "lost+found"  # of every new disk
EMPTY = "Choose an empty folder; make one first."


def storage_path(session: Session, settings: Settings) -> Path:
    """The folder that was chosen for the storage, or the one in the data folder."""
    chosen = session.scalar(select(DataCenterPlace.path))
    return Path(chosen) if chosen else default_path(settings)


def default_path(settings: Settings) -> Path:
    """Where the storage is until another place is chosen."""
    return settings.data / DEFAULT


def is_there(storage: Path, settings: Settings) -> bool:
    """Whether a chosen storage is what it was; without its disk it is an empty folder, or gone."""
    made = any((storage / folder).is_dir() for folder in FOLDERS)
    return made or storage == default_path(settings)


def lock_place(session: Session) -> DataCenterPlace:
    """The row of the storage's place, locked: what excludes one another comes one by one."""
    return session.scalars(select(DataCenterPlace).with_for_update()).one()


def checked_place(path: Path, *, current: Path, reserved: Path | None) -> Path:
    """`path` as the storage's folder; raises InvalidError where it cannot be that.

    It must be a folder that exists, named from `/` on, neither around nor inside the current one
    or Portal's own data (`reserved`), whose default place alone is allowed there. It must be empty,
    hold nothing but files of rows, or have been the storage before: whatever lies in the storage
    can be downloaded and deleted on the pages.
    """
    if not path.is_absolute():
        raise InvalidError(f"{path} must be named in full, from / on.")
    if not path.is_dir():
        raise InvalidError(f"{path} is no folder; make it first.")
    real = path.resolve()
    if real == current.resolve():
        return path
    is_default = reserved is not None and real == (reserved / DEFAULT).resolve()
    if reserved is not None and not is_default and _nested(real, reserved):
        raise InvalidError(f"{path} lies inside or around Portal's own data in {reserved}.")
    if _nested(real, current):
        raise InvalidError(f"{path} lies inside or around the present storage {current}.")
    foreign = "" if is_default else _foreign(real)
    if foreign:
        raise InvalidError(f"{path} holds what is none of the data centre's: {foreign}. {EMPTY}")
    return path


def _foreign(real: Path) -> str:
    """The first names of what would not lie in a new storage; empty if it was one before."""
    try:
        found = sorted(path for path in real.iterdir() if not path.name.startswith("."))
    except PermissionError as error:
        raise InvalidError(f"{real} cannot be read by Portal; choose one of its own.") from error
    if {str(folder) for folder in FOLDERS} <= {path.name for path in found}:
        return ""
    foreign = [path.name for path in found if not _belongs(path)]
    return ", ".join(foreign[:NAMED]) + (", …" if len(foreign) > NAMED else "")


def _belongs(path: Path) -> bool:
    if path.is_dir():
        return path.name in FOLDERS or path.name == LOST_AND_FOUND
    return path.suffix.lower() in EXTENSIONS


def _nested(real: Path, other: Path) -> bool:
    there = other.resolve()
    return real.is_relative_to(there) or there.is_relative_to(real)
