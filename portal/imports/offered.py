"""Files that other areas offer: `channel:orders/orders-*.csv` is a source, a place and a name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import IO

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.artifacts.sources import FileSources, OfferedFile
from portal.errors import InvalidError, NotFoundError
from portal.imports.words import ENDINGS, MISSING
from portal.patterns import fits, has_signs

_SHAPE = re.compile(r"(?P<source>[a-z]+):(?!//)(?P<rest>.*)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class OfferedPath:
    """The name of a file, or a pattern for names, at a place of a source."""

    source: str
    place: str
    name: str

    def __str__(self) -> str:
        return f"{self.source}:{self.place}/{self.name}"


def is_offered(path: str) -> bool:
    """Whether a path is meant as one of a file that another area offers."""
    return _SHAPE.fullmatch(path) is not None


def parse(path: str) -> OfferedPath:
    """The parts of such a path; raises InvalidError where it lacks one."""
    found = _SHAPE.fullmatch(path)
    place, sign, name = found["rest"].partition("/") if found else ("", "", "")
    if found is None or not place or not name or "/" in name or not sign:
        raise InvalidError("Write such a file as channel:NAME/FILE, like channel:orders/*.csv.")
    return OfferedPath(source=found["source"], place=place, name=name)


def check_offered(sources: FileSources, session: Session, *, actor: Actor, path: str) -> None:
    """Raise ForbiddenError or NotFoundError where the place of a path is not the actor's to take
    from, and InvalidError for what is no such path.
    """
    wanted = parse(path)
    if wanted.place not in {one.name for one in sources.get(wanted.source).places(session, actor)}:
        raise NotFoundError(f"There is no {wanted.source} {wanted.place!r} that fetches files.")


def may_take(sources: FileSources, actor: Actor, path: str) -> bool:
    """Whether `actor` may take files of the path's source; of other paths, yes."""
    found = _SHAPE.fullmatch(path)
    return found is None or any(
        one.name == found["source"] and one.may_take(actor) for one in sources
    )


def importable(
    sources: FileSources, session: Session, *, actor: Actor, source: str, place: str
) -> Sequence[OfferedFile]:
    """The files of a place that can be imported, the newest first. Raises as the source."""
    found = sources.get(source).files(session, actor, place)
    return [one for one in found if PurePosixPath(one.name).suffix.lower() in ENDINGS]


def file_meant(sources: FileSources, session: Session, *, actor: Actor, path: str) -> str:
    """The path itself, or that of the newest file whose name fits where its name is a pattern.

    Raises as `check_offered`, and NotFoundError where none fits.
    """
    wanted = parse(path)
    if not has_signs(wanted.name):
        return path
    check_offered(sources, session, actor=actor, path=path)
    files = importable(sources, session, actor=actor, source=wanted.source, place=wanted.place)
    for one in files:
        if one.name == wanted.name or fits(wanted.name, one.name):
            return str(replace(wanted, name=one.name))
    raise NotFoundError(MISSING.format(path=f"no file is called like {path}"))


def open_offered(sources: FileSources, session: Session, *, actor: Actor, path: str) -> IO[bytes]:
    """The file at a path, to be read and closed. Raises as `check_offered`, and NotFoundError."""
    check_offered(sources, session, actor=actor, path=path)
    wanted = parse(path)
    try:
        return sources.get(wanted.source).opened(session, actor, wanted.place, wanted.name)
    except NotFoundError:
        raise NotFoundError(MISSING.format(path=path)) from None
