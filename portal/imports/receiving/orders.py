"""Asking for the file at an https address, to look at it before anything is imported."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.errors import ForbiddenError, NotFoundError
from portal.imports.addresses import check_address, name_in
from portal.imports.orders import LANE_LENGTH, Asked
from portal.jobs.models import Job
from portal.jobs.service import Subject, get_job, submit
from portal.rows.batch_kinds import Wish
from portal.visible import visible

FETCH = "imports.fetch"
ADDRESS = "import-address"


def may_fetch(actor: Actor) -> bool:
    """Say whether `actor` may have files fetched."""
    return actor.may(Permission.IMPORTS_RUN)


def ask_to_fetch(session: Session, *, address: str, chosen: Mapping[str, str], wish: Wish) -> Asked:
    """Queue the fetching of a file for the actor; `chosen` is what its page is told besides.

    Raises ForbiddenError, also for hosts that are not allowed, and InvalidError for no address.
    """
    if not may_fetch(wish.actor):
        raise ForbiddenError("You may not import files into tables.")
    parts = check_address(wish.runtime.settings, address)
    name = name_in(address) or parts.hostname or "a file"
    submitted = submit(
        session,
        kind=wish.kinds.get(FETCH),
        actor=wish.actor,
        args={"address": address, "chosen": dict(chosen), "user": wish.actor.user_id},
        title=f"Fetch {visible(name)}",
        subject=Subject(kind=ADDRESS, id=address[:LANE_LENGTH]),
        waker=wish.waker,
        now=wish.now,
        exactly=True,
    )
    return Asked(job=submitted.job, joined=submitted.joined)


def get_fetch(session: Session, *, wish: Wish, job_id: str) -> Job:
    """The job that fetches a file; raises NotFoundError where it is not the actor's."""
    job = get_job(session, kinds=wish.kinds, actor=wish.actor, job_id=job_id)
    if job.kind != FETCH or job.requester_id != wish.actor.user_id:
        raise NotFoundError("There is no such file.")
    return job
