"""The data centre's files as a backup finds them, although they go on moving meanwhile.

Each gets a second name in the storage's hidden work folder at once, before any is read. Files move
from there to the root, on to `unfinished/` and `finished/`: looked at in this order, none that was
there all the time is missed, and one that is met twice is taken where it was first.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from portal.datacenter.disk import WORK, drop_workspace, find_entry, make_workspace
from portal.datacenter.intents import open_intents
from portal.datacenter.models import DataCenterPlace
from portal.datacenter.names import disk_name, shown_name
from portal.datacenter.place import DEFAULT, storage_path
from portal.datacenter.steps import Folder
from portal.errors import InvalidError
from portal.files import safe_name
from portal.settings import Settings

_WAY = (Folder.UNFINISHED, Folder.FINISHED, Folder.DELETED, Folder.GRADUATED, Folder.LOGS)


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageFile:
    """A file to be read at `path`; restored, it lies at `place` in the data folder."""

    path: Path
    place: str
    called: str


def storage_files(session: Session, settings: Settings) -> Iterator[StorageFile]:
    """All files of the storage, wherever that is; they are restored to its default place.

    A database of an older schema, as it stands before its first start with this version, has none.
    """
    if not inspect(session.connection()).has_table(DataCenterPlace.__tablename__):
        return
    storage = storage_path(session, settings)
    if not storage.is_dir():
        return
    workspace = uuid4().hex
    links = make_workspace(storage, workspace)
    try:
        found = list(_linked(storage, links, open_intents(session)))
        yield from found
    finally:
        drop_workspace(storage, workspace)


def _linked(storage: Path, links: Path, intents: frozenset[str]) -> Iterator[StorageFile]:
    seen: set[tuple[int, int]] = set()
    places: set[str] = set()
    for number, path in enumerate(_walk(storage, intents)):
        link = links / str(number)
        with suppress(FileNotFoundError):  # it has moved on and is met there
            taken = _link(path, link)
            found = taken.lstat()
            place = _place(path.relative_to(storage))
            if (found.st_dev, found.st_ino) not in seen and place not in places:
                seen.add((found.st_dev, found.st_ino))
                places.add(place)
                yield StorageFile(path=taken, place=place, called=_called(path, storage))


def _walk(storage: Path, intents: frozenset[str]) -> Iterator[Path]:
    for intent_id in sorted(intents):
        yield from _files(storage / WORK / intent_id)
    yield from _plain(storage)
    for folder in _WAY:
        yield from _files(storage / folder)
    for other in sorted(storage.iterdir()):
        if other.name not in (WORK, *_WAY) and other.is_dir() and not other.is_symlink():
            yield from _files(other)


def _files(folder: Path) -> Iterator[Path]:
    for place, _folders, names in os.walk(folder):
        yield from (Path(place) / name for name in sorted(names) if _is_plain(Path(place) / name))


def _plain(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if _is_plain(path)]


def _is_plain(path: Path) -> bool:
    return not path.name.endswith(".part") and find_entry(path) is not None


def _link(path: Path, link: Path) -> Path:
    """A second name for the file; where the disk allows none, the file itself."""
    try:
        os.link(path, link, follow_symlinks=False)
    except FileNotFoundError:
        raise
    except OSError:
        return path
    return link


def _place(path: Path) -> str:
    return "/".join((DEFAULT, *(_safe(part) for part in path.parts)))


def _safe(part: str) -> str:
    """A name that a restore can write: people may have dropped any into the folders."""
    with suppress(InvalidError, UnicodeEncodeError):
        if safe_name(part) == part:
            return part
    return disk_name(shown_name(part))


def _called(path: Path, storage: Path) -> str:
    return f"{shown_name(path.relative_to(storage).as_posix())} of the data centre"
