"""Reading a folder tree without ever leaving it: no link is followed, whenever it came."""

import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from portal.errors import InvalidError
from portal.files import safe_name

PATH_BYTES = 850  # its key is indexed; PostgreSQL indexes at most 2,704 bytes
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A regular file: its raw place in the tree, its path in NFC, its size in bytes."""

    raw: tuple[str, ...]
    path: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """Something that is not taken, and why in words."""

    path: str
    reason: str


class Tree:
    """An open folder; use it as a context manager. Opening a link, or through one, fails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = -1

    def __enter__(self) -> Self:
        try:
            self._root = os.open(self._folder, _FOLDER & ~os.O_NOFOLLOW)
        except OSError as error:
            raise InvalidError(f"{self._folder} is no folder that Portal can read.") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._root)

    def walk(self) -> Iterator[Found | Skipped]:
        """All files at any depth, folder by folder in the order of their names."""
        waiting: list[tuple[str, ...]] = [()]
        while waiting:
            place = waiting.pop()
            below: list[tuple[str, ...]] = []
            for name, found in self._entries(place):
                raw = (*place, name)
                reason = _refusal(raw, found)
                if reason:
                    yield Skipped(path=_shown(raw), reason=reason)
                elif stat.S_ISDIR(found.st_mode):
                    below.append(raw)
                else:
                    yield Found(raw=raw, path=_normal(raw), size=found.st_size)
            waiting.extend(reversed(below))

    def open(self, found: Found) -> int:
        """A descriptor of the file, reached step by step without following a link.

        Raises InvalidError where it is no regular file any more.
        """
        folder = self._open_folder(found.raw[:-1])
        try:
            handle = os.open(found.raw[-1], _FILE, dir_fd=folder)
        except OSError as error:
            raise InvalidError(f"{found.path!r} changed while it was being loaded.") from error
        finally:
            os.close(folder)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise InvalidError(f"{found.path!r} changed while it was being loaded.")
        return handle

    def _entries(self, place: tuple[str, ...]) -> list[tuple[str, os.stat_result]]:
        folder = self._open_folder(place)
        try:
            return [
                (name, os.stat(name, dir_fd=folder, follow_symlinks=False))
                for name in sorted(os.listdir(folder))  # noqa: PTH208 (a descriptor)
            ]
        finally:
            os.close(folder)

    def _open_folder(self, place: tuple[str, ...]) -> int:
        folder = os.dup(self._root)
        for name in place:
            try:
                below = os.open(name, _FOLDER, dir_fd=folder)
            except OSError as error:
                raise InvalidError(f"The folder {_shown(place)!r} cannot be read.") from error
            finally:
                os.close(folder)
            folder = below
        return folder


def _refusal(raw: tuple[str, ...], found: os.stat_result) -> str:
    """Why an entry is not taken, in words; empty where it is."""
    if raw[-1].startswith("."):
        return "hidden"
    if stat.S_ISLNK(found.st_mode):
        return "a link"
    if stat.S_ISDIR(found.st_mode):
        return ""
    if not stat.S_ISREG(found.st_mode):
        return "neither a file nor a folder"
    if len(os.fsencode(_normal(raw))) > PATH_BYTES:
        return f"its path is longer than {PATH_BYTES} bytes"
    return _bad_name(raw)


def _bad_name(raw: tuple[str, ...]) -> str:
    try:
        for part in raw:
            safe_name(part)
    except InvalidError:
        return "its name has characters that cannot be kept"
    return ""


def _normal(raw: tuple[str, ...]) -> str:
    return unicodedata.normalize("NFC", "/".join(raw))


def _shown(raw: tuple[str, ...]) -> str:
    """A path that can be printed, whatever bytes it had."""
    text = "/".join(raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
