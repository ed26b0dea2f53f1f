"""Visits to a server that transfer nothing: testing the connection, breaking a lock."""

from typing import Any

from sqlalchemy import update

from portal.delivery.credentials import open_vault
from portal.delivery.dialling import open_remote
from portal.delivery.endpoints import server_of
from portal.delivery.models import Channel, Endpoint
from portal.delivery.remote import discard
from portal.delivery.remote_lock import lock_on
from portal.delivery.trial import Trial, try_out
from portal.errors import ConflictError, NotFoundError
from portal.jobs.work import UnsuccessfulError, Work


def visit_endpoint(work: Work, *, endpoint_id: int) -> dict[str, Any]:
    """Take every step of a delivery, and keep what the server can do with the endpoint.

    Raises UnsuccessfulError with the steps as its result.
    """
    settings = work.runtime.settings
    with work.runtime.reads() as session:
        endpoint = session.get(Endpoint, endpoint_id)
    if endpoint is None:
        raise NotFoundError("The endpoint is gone.")
    server = server_of(endpoint, vault=open_vault(settings), settings=settings)

    def told(trial: Trial) -> None:
        work.progress(stage=trial.steps[-1].name)
        _keep(work, endpoint_id, trial)

    trial = try_out(server, dial=open_remote, token=work.claim.job_id[:12], told=told)
    _keep(work, endpoint_id, trial)
    if not trial.passed:
        raise UnsuccessfulError(trial.steps[-1].fault, result=trial.facts())
    return trial.facts() | {"message": "All steps of a delivery work."}


def break_seen_lock(work: Work, *, channel_id: int, seen: dict[str, Any]) -> dict[str, Any]:
    """Remove a lock from the server, if it still is the one that the operator saw.

    Raises ConflictError where it is another's, or gave a sign of life since.
    """
    settings = work.runtime.settings
    with work.runtime.reads() as session:
        channel = session.get(Channel, channel_id)
        if channel is None:
            raise NotFoundError("The channel is gone.")
        server = server_of(channel.endpoint, vault=open_vault(settings), settings=settings)
    with open_remote(server) as remote:
        lock = lock_on(remote, now=work.runtime.clock())
        if lock is not None and any(lock[key] != value for key, value in seen.items()):
            raise ConflictError(
                "The lock is another one by now, or its owner lives; look again before breaking it."
            )
        if lock is not None:
            discard(remote, lock["lock"])
    with work.effect() as session:
        change = update(Channel).where(Channel.id == channel_id)
        session.execute(change.values(blocked={}, next_try_at=None))
    return {"message": "The lock was removed." if lock is not None else "The lock was gone."}


def _keep(work: Work, endpoint_id: int, trial: Trial) -> None:
    values: dict[str, Any] = {"profile": trial.facts(), "tested_at": work.runtime.clock()}
    if trial.shown_key:
        values["shown_key"] = trial.shown_key
    with work.effect() as session:
        session.execute(update(Endpoint).where(Endpoint.id == endpoint_id).values(**values))
