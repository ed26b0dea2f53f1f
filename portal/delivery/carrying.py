"""The job that carries a finished file into the spool of a channel."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.artifacts.handouts import FinishedFile, Handouts
from portal.delivery.handing import HAND, Parting, check_takes, taken
from portal.delivery.models import Channel
from portal.delivery.names import TEMPORARY
from portal.delivery.spool import Space, Spool, SpoolFile
from portal.errors import ConflictError, NotFoundError
from portal.files import CHUNK, move_new
from portal.jobs.kinds import QUICK, Args, Kind
from portal.jobs.models import Job
from portal.jobs.work import Work


def handing_kind(handouts: Handouts) -> Kind:
    """The job that carries such files over.

    It is not restartable: where its worker dies between its last two steps, nobody knows whether
    the file came into the spool and was sent since, and a person looks.
    """

    def carry(
        work: Work, *, channel_id: int, source: str, file: str, at_once: bool
    ) -> dict[str, Any]:
        parting = Parting(source=source, file=file, at_once=at_once)
        return carry_over(work, handouts, channel_id=channel_id, parting=parting)

    return Kind(
        name=HAND,
        area="delivery",
        label="Handing over",
        queue=QUICK,
        run=carry,
        may_view=_may,
        may_run=_may,
        restartable=False,
        page=page_of,
        page_label="To the channel",
    )


def carry_over(
    work: Work, handouts: Handouts, *, channel_id: int, parting: Parting
) -> dict[str, Any]:
    """Copy the file aside, then give it its name in `new`, where nothing is overwritten."""
    with work.runtime.reads() as session:
        channel = session.get(Channel, channel_id)
        if channel is None:
            raise NotFoundError("The channel is gone.")
        find = handouts.get(parting.source).find
        found = find(session, work.runtime, work.check_right(), parting.file)
    check_takes(channel, found.name)
    spool = Spool(Path(channel.spool))
    spool.prepare()
    with _aside(work, spool) as aside:
        _copy(work, found, aside)
        _give_name(channel, aside, spool.path(found.name, Space.NEW))
    if parting.at_once:
        _run_soon(work, channel_id)
    return {"message": f"{found.name} waits to be sent.", "file": found.name, "size": found.size}


def page_of(actor: Actor, job: Job) -> str:
    """The page of the channel that a job is about, for who may look there."""
    if not actor.may(Permission.DELIVERY_OPERATE):
        return ""
    return f"/delivery/channels/{job.args['channel_id']}"


def _may(_session: Session, actor: Actor, _about: Job | Args) -> bool:
    return actor.may(Permission.DELIVERY_OPERATE)


@contextmanager
def _aside(work: Work, spool: Spool) -> Iterator[Path]:
    """A place in `tmp` of this attempt's own; what is left there goes."""
    claim = work.claim
    path = spool.root / Space.TMP / f"{TEMPORARY}handed-{claim.job_id[:12]}-{claim.token}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _copy(work: Work, found: FinishedFile, aside: Path) -> None:
    done = 0
    with _opened(found) as source, SpoolFile(aside) as target:
        work.progress(stage="Copying", done=0, total=found.size, unit="bytes", message=found.name)
        while block := source.read(CHUNK):
            work.checkpoint()
            target.write(block)
            done += len(block)
            work.progress(done=done)
    if done != found.size:
        raise ConflictError(f"{found.name} changed while it was being copied; hand it over again.")


def _opened(found: FinishedFile) -> IO[bytes]:
    try:
        handle = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise NotFoundError(f"{found.name} is gone; look for it where it was made.") from error
    return os.fdopen(handle, "rb", 0)


def _give_name(channel: Channel, aside: Path, place: Path) -> None:
    try:
        move_new(aside, place)
    except FileExistsError as error:
        raise taken(channel, place.name) from error


def _run_soon(work: Work, channel_id: int) -> None:
    """The channel runs as one that comes back after a pause; a paused one does not."""
    with work.effect() as session:
        its = update(Channel).where(Channel.id == channel_id, Channel.paused.is_(False))
        session.execute(its.values(next_try_at=work.runtime.clock()))
