"""What lies in the folders out of which files are imported: to choose from, or by a pattern."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from portal.errors import ConflictError, NotFoundError
from portal.imports.folders import open_folder
from portal.imports.words import ENDINGS, MISSING
from portal.patterns import fits, has_signs
from portal.settings import Settings

LAST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()  # some disks tell of later years
MOST = 10_000  # names that are looked at in a folder


@dataclass(frozen=True, kw_only=True)
class Item:
    """A folder, or a file that can be imported; `changed` as its disk tells it."""

    name: str
    path: str
    is_folder: bool
    size: int
    changed: datetime


def contents_of(settings: Settings, path: str) -> list[Item]:
    """Folders by their names, then files that can be imported, the newest first.

    Hidden ones, links and files of other formats are left out. Raises ForbiddenError,
    NotFoundError, and ConflictError where there are too many names to look at.
    """
    with open_folder(settings, path) as handle:
        found = list(_items(handle, PurePosixPath(path)))
    folders = sorted((one for one in found if one.is_folder), key=lambda one: one.name)
    files = [one for one in found if not one.is_folder]
    return [*folders, *sorted(files, key=_newest_last, reverse=True)]


def path_meant(settings: Settings, path: str) -> str:
    """The path itself, or that of the newest file whose name fits where its name is a pattern.

    Raises as `contents_of`, and NotFoundError where none fits.
    """
    wanted = PurePosixPath(path)
    if not has_signs(wanted.name):
        return path
    files = [one for one in contents_of(settings, str(wanted.parent)) if not one.is_folder]
    if any(one.name == wanted.name for one in files):
        return path
    fitting = [one for one in files if fits(wanted.name, one.name)]
    if not fitting:
        raise NotFoundError(MISSING.format(path=f"no file is called like {path}"))
    return fitting[0].path


def _items(handle: int, folder: PurePosixPath) -> Iterator[Item]:
    with os.scandir(handle) as entries:
        for count, entry in enumerate(entries):
            if count >= MOST:
                raise ConflictError(
                    f"There are more than {MOST:,} files in {folder}; move old ones elsewhere."
                )
            item = _item(entry, folder)
            if item is not None:
                yield item


def _item(entry: "os.DirEntry[str]", folder: PurePosixPath) -> Item | None:
    name = entry.name
    if name.startswith(".") or not name.isprintable():
        return None
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # gone meanwhile
        return None
    is_folder = stat.S_ISDIR(found.st_mode)
    is_file = stat.S_ISREG(found.st_mode) and PurePosixPath(name).suffix.lower() in ENDINGS
    if not is_folder and not is_file:
        return None
    return Item(
        name=name,
        path=str(folder / name),
        is_folder=is_folder,
        size=found.st_size,
        changed=datetime.fromtimestamp(min(max(found.st_mtime, 0), LAST), UTC),
    )


def _newest_last(item: Item) -> tuple[datetime, str]:
    return item.changed, item.name
