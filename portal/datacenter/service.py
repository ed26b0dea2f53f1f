"""The portal's data centre: opened on what the database says, tidied, resumed after crashes."""

import math
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.accounts.permissions import SYSTEM, Actor, Permission
from portal.datacenter import disk
from portal.datacenter.carrying import Mark
from portal.datacenter.claims import forget_ended
from portal.datacenter.disk import WORK, Entry
from portal.datacenter.facts import facts_of, forget_absent, long_names
from portal.datacenter.folders import DataCenter
from portal.datacenter.intents import DatabaseIntents, forgotten_intents, open_intents
from portal.datacenter.models import DataCenterIntent
from portal.datacenter.place import is_there, storage_path
from portal.datacenter.steps import Folder
from portal.errors import ConflictError, ForbiddenError
from portal.runtime import Runtime

QUIET_SECONDS = 60.0
ABANDONED_SECONDS = 3600.0

log = structlog.get_logger("portal.datacenter")


def open_data_center(
    runtime: Runtime,
    *,
    transaction: Callable[[], AbstractContextManager[Session]] | None = None,
    mark: Mark = lambda _point: None,
    away: bool = False,
) -> DataCenter:
    """The data centre as it is now; opened anew for each piece of work, as its place may change.

    Raises ConflictError where the chosen storage is not there, unless it may be `away`. A job gives
    its `work.effect` as `transaction`. No session may be open beside it: it has its own, and they
    write.
    """
    with runtime.reads() as session:
        storage = storage_path(session, runtime.settings)
        long = long_names(session)
    there = is_there(storage, runtime.settings)
    if not there and not away:
        raise ConflictError(
            f"The data centre's storage {storage} is not there; an administrator can bring its "
            "disk back, or choose another place."
        )
    return DataCenter(
        storage,
        intents=DatabaseIntents(transaction or runtime.sessions.begin, clock=runtime.clock),
        clock=runtime.clock,
        zone=runtime.settings.zone,
        settle_seconds=runtime.settings.datacenter_settle_seconds,
        known=lambda found: _known(runtime, found),
        long_names=long,
        reserved=runtime.settings.data,
        mark=mark,
        there=there,
    )


def change_storage_path(
    runtime: Runtime,
    *,
    path: Path,
    move: bool,
    overwrite: bool = False,
    actor: Actor = SYSTEM,
    address: str = "",
) -> list[str]:
    """Let the storage be another folder; returns the names of files that could not be moved.

    Without moving, the old folder need not be there any more. Raises ForbiddenError for all but
    administrators, else as `DataCenter.set_storage_path`.
    """
    if not actor.may(Permission.DATACENTER_SETTINGS):
        raise ForbiddenError("Only an administrator may change the storage.")
    center = open_data_center(runtime, away=not move)
    return center.set_storage_path(
        path, move=move, overwrite=overwrite, actor=actor, address=address
    )


def finish_intended(runtime: Runtime, *, quiet_seconds: float = QUIET_SECONDS) -> int:
    """Finish what processes that are gone intended; returns how many. One fault stops no other."""
    with runtime.reads() as session:
        forgotten = forgotten_intents(session, quiet_seconds=quiet_seconds)
    finished = 0
    for intent_id in forgotten:
        try:
            open_data_center(runtime).resume(intent_id)
        except Exception:  # a full disk, say: it is tried again
            log.exception("files not moved", intent=intent_id)
        else:
            finished += 1
    return finished


def sweep(runtime: Runtime) -> None:
    """Forget what is over: work folders without an intent, claims, facts, and old intents."""
    center = open_data_center(runtime)
    old = timedelta(days=runtime.settings.job_log_days)
    present = {name for folder in Folder for name in disk.names_in(center.storage / folder)}
    with runtime.sessions.begin() as session:
        wanted = open_intents(session)
        forget_ended(session)
        forget_absent(session, present=present)
        session.execute(
            delete(DataCenterIntent).where(DataCenterIntent.done_at < runtime.clock() - old)
        )
    before = runtime.clock().timestamp() - ABANDONED_SECONDS
    for name in _abandoned(center.storage, wanted, before=before):
        disk.drop_workspace(center.storage, name)


def _known(runtime: Runtime, found: Sequence[Entry]) -> Collection[str]:
    with runtime.reads() as session:
        return facts_of(session, found)


def _abandoned(storage: Path, wanted: Collection[str], *, before: float) -> list[str]:
    """Work folders in which nothing has happened lately and which no intent needs."""
    unwanted = disk.names_in(storage / WORK).difference(wanted)
    return [name for name in sorted(unwanted) if _last_change(storage / WORK / name) < before]


def _last_change(folder: Path) -> float:
    """When something changed there last; one that goes at this moment has changed for ever."""
    try:
        return max(path.lstat().st_ctime for path in (folder, *folder.rglob("*")))
    except FileNotFoundError:
        return math.inf
