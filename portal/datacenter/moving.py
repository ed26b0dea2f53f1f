"""Bringing the files of one storage into another. Done twice, it does the rest only."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from portal.datacenter.carrying import Mark
from portal.datacenter.disk import (
    WORK,
    digest_of,
    drop_workspace,
    find_entry,
    make_durable,
    make_folders,
    make_workspace,
    stage,
)
from portal.datacenter.steps import FOLDERS
from portal.files import exchange, move_new


def merge(old: Path, new: Path, *, overwrite: bool, workspace: str, mark: Mark) -> list[str]:
    """Move what lies in `old` to `new` and return the names of what could not be moved.

    The five folders are merged, hidden names stay where they are, links are not followed. A file
    whose name is taken stays, unless it has the same content or `overwrite` says otherwise.
    """
    make_folders(new)
    aside = make_workspace(new, workspace)
    left = []
    for name in _movable(old):
        mark(f"move {name}")
        if not _moved(old / name, new / name, aside=aside, overwrite=overwrite):
            left.append(name)
    drop_workspace(new, workspace)
    _remove_empty(old)
    return left


def _movable(old: Path) -> Iterator[str]:
    """Paths in `old`: what lies in the root, then what lies in each of the five folders."""
    yield from (name for name in _names(old) if name not in FOLDERS)
    for folder in FOLDERS:
        if not (old / folder).is_symlink():
            yield from (f"{folder}/{name}" for name in _names(old / folder))


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def _moved(source: Path, target: Path, *, aside: Path, overwrite: bool) -> bool:
    if source.name.endswith(".part") or source.is_symlink():
        return False
    if source.is_dir():
        return _folder_moved(source, target)
    if find_entry(source) is None:
        return False
    if source.stat().st_dev == aside.stat().st_dev:
        return _file_moved(source, target, overwrite=overwrite)
    return _copied(source, target, aside=aside, overwrite=overwrite)


def _folder_moved(source: Path, target: Path) -> bool:
    """Folders of people move whole, where a rename can do it."""
    try:
        move_new(source, target)
    except OSError:
        return False
    return True


def _file_moved(source: Path, target: Path, *, overwrite: bool) -> bool:
    try:
        move_new(source, target)
    except FileExistsError:
        if digest_of(source) == digest_of(target):
            source.unlink()
        elif overwrite and find_entry(target) is not None:
            exchange(source, target)
            source.unlink()
        else:
            return False
    return True


def _copied(source: Path, target: Path, *, aside: Path, overwrite: bool) -> bool:
    """To another disk: the copy is whole and durable before it gets its name, the old goes last."""
    copy = aside / source.name
    copy.unlink(missing_ok=True)
    before = find_entry(source)
    stage(source, copy)
    make_durable(aside)
    if find_entry(source) != before or not _file_moved(copy, target, overwrite=overwrite):
        copy.unlink(missing_ok=True)
        return False
    source.unlink()
    return True


def _remove_empty(old: Path) -> None:
    for folder in (WORK, *FOLDERS):
        with suppress(OSError):  # it holds something that could not be moved
            (old / folder).rmdir()
