"""What channels fetched, for other areas that take copies of it. Nothing is changed here."""

import os
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.artifacts.sources import FileSource, OfferedFile, OfferedPlace
from portal.delivery.channels import get_channel, list_channels
from portal.delivery.models import Channel
from portal.delivery.spool import Space, Spool
from portal.delivery.states import Direction
from portal.errors import ForbiddenError, NotFoundError

_SPACES = (Space.NEW, Space.CUR)  # of two files with a name, the one that came last counts
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def list_places(session: Session, actor: Actor) -> Sequence[OfferedPlace]:
    """The channels that fetch, by name. Raises ForbiddenError."""
    return [
        OfferedPlace(name=channel.name, note=f"from {channel.endpoint.name}")
        for channel in list_channels(session, actor=actor)
        if channel.direction == Direction.FETCH
    ]


def list_fetched(session: Session, actor: Actor, name: str) -> Sequence[OfferedFile]:
    """Whole files in a channel's spool, the newest first. Raises ForbiddenError, NotFoundError."""
    found = {one.name: one for one in _files(_spool(session, actor, name))}
    return sorted(found.values(), key=lambda one: (one.changed, one.name), reverse=True)


def open_fetched(session: Session, actor: Actor, name: str, file: str) -> IO[bytes]:
    """A whole file of a channel's spool. Raises ForbiddenError, InvalidError, NotFoundError."""
    spool = _spool(session, actor, name)
    for space in _SPACES:
        stream = _open(spool.path(file, space))
        if stream is not None:
            return stream
    raise NotFoundError(f"The channel {name!r} has no file {file!r}.")


def _spool(session: Session, actor: Actor, name: str) -> Spool:
    channel: Channel = get_channel(session, actor=actor, name=name)
    if channel.direction != Direction.FETCH:
        raise NotFoundError(f"The channel {name!r} sends files; it fetches none.")
    return Spool(Path(channel.spool))


def _files(spool: Spool) -> Iterator[OfferedFile]:
    for space in reversed(_SPACES):
        for name in spool.names(space):
            try:
                found = spool.path(name, space).lstat()
            except FileNotFoundError:  # moved meanwhile
                continue
            changed = datetime.fromtimestamp(found.st_mtime, UTC)
            yield OfferedFile(name=name, size=found.st_size, changed=changed)


def _open(path: Path) -> IO[bytes] | None:
    try:
        handle = os.open(path, _FLAGS)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ForbiddenError(f"{path.name} cannot be read: {error.strerror}.") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ForbiddenError(f"{path.name} is no file, but a folder or a device.")
    return os.fdopen(handle, "rb", 0)


FETCHED = FileSource(
    name="channel",
    may_take=lambda actor: actor.may(Permission.DELIVERY_OPERATE),
    places=list_places,
    files=list_fetched,
    opened=open_fetched,
)
