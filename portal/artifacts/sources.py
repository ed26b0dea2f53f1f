"""Files that lie in an area and may be copied by another. Areas offer them, nobody changes them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import IO

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.errors import NotFoundError


@dataclass(frozen=True, kw_only=True)
class OfferedPlace:
    """Where files lie: its name within the source, and what is to be said of it."""

    name: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class OfferedFile:
    """A file that may be copied; `changed` as its disk tells it."""

    name: str
    size: int
    changed: datetime


@dataclass(frozen=True, kw_only=True)
class FileSource:
    """Places with files, of one area. Its `name` leads the paths of its files (`channel:in/a.csv`).

    `places` and `files` list what there is, places by name, files the newest first. `opened` gives
    a file to be read, which the caller closes. They raise ForbiddenError where `may_take` says no,
    and NotFoundError.
    """

    name: str
    may_take: Callable[[Actor], bool]
    places: Callable[[Session, Actor], Sequence[OfferedPlace]]
    files: Callable[[Session, Actor, str], Sequence[OfferedFile]]
    opened: Callable[[Session, Actor, str, str], IO[bytes]]


class FileSources:
    """A frozen set of sources, found by name."""

    def __init__(self, sources: Iterable[FileSource] = ()) -> None:
        found = list(sources)
        self._sources = MappingProxyType({source.name: source for source in found})
        if len(self._sources) != len(found):
            raise ValueError("two sources of files have the same name")

    def get(self, name: str) -> FileSource:
        """The source with this name; raises NotFoundError."""
        source = self._sources.get(name)
        if source is None:
            raise NotFoundError(f"There are no files at {name!r}.")
        return source

    def __iter__(self) -> Iterator[FileSource]:
        return iter(self._sources.values())


NO_SOURCES = FileSources()
