"""Channels: spools bound to endpoints; making, changing, pausing and removing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import SYSTEM, Actor
from portal.audit.service import record
from portal.delivery.addresses import check_text
from portal.delivery.endpoints import check_name, check_operator, get_endpoint
from portal.delivery.models import Channel
from portal.delivery.patterns import patterns_of
from portal.delivery.spool import Spool
from portal.delivery.states import AfterFetch, Direction
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.files import safe_name
from portal.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ChannelOptions:
    """What can be said of a channel besides its spool, endpoint and direction.

    `include` and `exclude` are patterns, one in each line. `keep_days`: how long delivered files
    stay in `cur`; None for ever. `ordered`: by one connection, in the order of the names.
    """

    include: str = ""
    exclude: str = ""
    after_fetch: AfterFetch = AfterFetch.REMOVE
    done_folder: str = ""
    keep_days: int | None = None
    ordered: bool = False


def add_channel(
    session: Session,
    *,
    actor: Actor,
    name: str,
    endpoint: str,
    spool: str,
    direction: Direction,
    options: ChannelOptions = ChannelOptions(),
    settings: Settings,
    now: datetime,
    place: str = "",
) -> Channel:
    """Bind a spool to an endpoint. `spool` is a name, or a whole path where that is allowed.

    Raises ForbiddenError, InvalidError, NotFoundError, and ConflictError where the name or the
    spool is another channel's.
    """
    server = get_endpoint(session, actor=actor, name=endpoint)
    folder = spool_folder(settings, actor=actor, spool=spool)
    plain = _free(session, check_name(name), folder)
    Spool(folder).prepare()
    channel = Channel(
        name=plain,
        endpoint=server,
        direction=direction,
        spool=str(folder),
        created_at=now,
        created_by=actor.name,
        blocked={},
    )
    _say(channel, options)
    session.add(channel)
    session.flush()
    _record(session, "add", actor, channel, now=now, place=place)
    return channel


def change_channel(
    session: Session,
    *,
    actor: Actor,
    name: str,
    options: ChannelOptions,
    now: datetime,
    place: str = "",
) -> Channel:
    """Say anew which files a channel takes and what becomes of them."""
    channel = get_channel(session, actor=actor, name=name)
    _say(channel, options)
    session.flush()
    _record(session, "change", actor, channel, now=now, place=place)
    return channel


def pause_channel(
    session: Session, *, actor: Actor, name: str, paused: bool, now: datetime, place: str = ""
) -> Channel:
    """Let a channel rest, or go on. What runs now ends after the file that it is busy with."""
    channel = get_channel(session, actor=actor, name=name)
    channel.paused = paused
    if not paused:
        channel.next_try_at = None
    session.flush()
    _record(session, "pause" if paused else "resume", actor, channel, now=now, place=place)
    return channel


def remove_channel(
    session: Session, *, actor: Actor, name: str, now: datetime, place: str = ""
) -> None:
    """Forget a channel and its history; the files of its spool stay where they are."""
    channel = get_channel(session, actor=actor, name=name)
    _record(session, "remove", actor, channel, now=now, place=place)
    session.delete(channel)
    session.flush()


def get_channel(session: Session, *, actor: Actor, name: str) -> Channel:
    """The channel with this name. Raises ForbiddenError, NotFoundError."""
    check_operator(actor)
    channel = session.scalar(select(Channel).where(Channel.name == name))
    if channel is None:
        raise NotFoundError(f"There is no channel {name!r}.")
    return channel


def channel_with(session: Session, *, actor: Actor, channel_id: int) -> Channel:
    """The channel with this id. Raises ForbiddenError, NotFoundError."""
    check_operator(actor)
    channel = session.get(Channel, channel_id)
    if channel is None:
        raise NotFoundError("There is no such channel.")
    return channel


def list_channels(session: Session, *, actor: Actor) -> Sequence[Channel]:
    """All channels, by name. Raises ForbiddenError."""
    check_operator(actor)
    return session.scalars(select(Channel).order_by(Channel.name)).all()


def spool_folder(settings: Settings, *, actor: Actor, spool: str) -> Path:
    """Where a spool is: a name is below PORTAL_DATA/delivery, a path where the settings allow.

    Who reads the data folder anyway (the shell without --as) may use any. Raises InvalidError,
    ForbiddenError.
    """
    if not spool.startswith("/"):
        return settings.data / "delivery" / safe_name(spool)
    folder = Path(spool)
    if ".." in folder.parts:
        raise InvalidError("The path of a spool has no '..'.")
    real = folder.resolve()
    allowed = [settings.data / "delivery", *map(Path, settings.delivery_folders)]
    if actor != SYSTEM and not any(real.is_relative_to(one.resolve()) for one in allowed):
        raise ForbiddenError(
            f"{folder} is in no folder of PORTAL_DELIVERY_FOLDERS; an administrator sets it."
        )
    return real


def _say(channel: Channel, options: ChannelOptions) -> None:
    if options.keep_days is not None and options.keep_days < 1:
        raise InvalidError("Delivered files are kept for at least a day.")
    if options.after_fetch is AfterFetch.MOVE and not options.done_folder.strip("/ "):
        raise InvalidError("Name the folder on the server that fetched files are moved to.")
    if ".." in options.done_folder.split("/"):
        raise InvalidError("The folder for fetched files has no '..'.")
    channel.include = "\n".join(patterns_of(options.include))
    channel.exclude = "\n".join(patterns_of(options.exclude))
    channel.after_fetch = options.after_fetch
    channel.done_folder = check_text(options.done_folder.strip("/ "), "folder for fetched files")
    channel.keep_days = options.keep_days
    channel.ordered = options.ordered


def _free(session: Session, name: str, folder: Path) -> str:
    if session.scalar(select(func.count()).where(Channel.name == name)):
        raise ConflictError(f"There is a channel {name!r} already.")
    other = session.scalar(select(Channel.name).where(Channel.spool == str(folder)))
    if other is not None:
        raise ConflictError(f"{folder} is the spool of the channel {other!r}.")
    return name


def _record(
    session: Session, action: str, actor: Actor, channel: Channel, *, now: datetime, place: str
) -> None:
    record(
        session,
        actor=actor,
        action=f"delivery.channel.{action}",
        object_kind="channel",
        object_id=channel.name,
        now=now,
        address=place,
        detail={
            "endpoint": channel.endpoint.name,
            "spool": channel.spool,
            "direction": channel.direction,
        },
    )
