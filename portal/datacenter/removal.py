"""Deleting files at a person's word: audited with what they were, never while a job has them."""

from collections.abc import Iterable
from uuid import uuid4

from portal.accounts.permissions import Actor, Permission
from portal.datacenter import names
from portal.datacenter.claims import refuse_claim
from portal.datacenter.disk import digest_of
from portal.datacenter.folders import DataCenter, DataCenterFile
from portal.datacenter.intents import Standing, open_intent
from portal.datacenter.service import open_data_center
from portal.datacenter.steps import ABSENT, Act, Folder, Intent, Kind, Step
from portal.errors import ForbiddenError, InvalidError
from portal.runtime import Runtime

NOTHING = "No item selected."
MAY_GO = frozenset({Folder.ROOT, Folder.FINISHED, Folder.UNFINISHED})


def delete_files(
    runtime: Runtime,
    *,
    wanted: Iterable[str],
    folder: Folder = Folder.ROOT,
    actor: Actor,
    address: str = "",
) -> list[str]:
    """Delete files by their names on disk, for good, and return their names as people know them.

    Backups of removed records and logs are not deleted here. Raises NotFoundError before any goes
    where one is not there, ConflictError at one that a job works on. No session may be open beside.
    """
    if not actor.may(Permission.DATACENTER_EDIT):
        raise ForbiddenError("You may not delete files of the data centre.")
    if folder not in MAY_GO:
        raise ForbiddenError("Backups and logs are kept.")
    center = open_data_center(runtime)
    files = [center.get_file(name, folder) for name in dict.fromkeys(wanted)]
    if not files:
        raise InvalidError(NOTHING)
    for file in files:
        center.carry(_intended(runtime, center, file, actor=actor, address=address))
    return [file.shown for file in files]


def _intended(
    runtime: Runtime, center: DataCenter, file: DataCenterFile, *, actor: Actor, address: str
) -> Standing:
    intent_id, digest = uuid4().hex, digest_of(file.path)
    place = file.path.relative_to(center.storage).as_posix()
    intent = Intent(
        id=intent_id,
        occasion=intent_id,
        kind=Kind.DELETION,
        subject=names.subject_of(file.name),
        steps=(Step(act=Act.REMOVE, source=place, target=place, before=digest or ABSENT),),
        about=place,
        action="datacenter.delete",
        detail={"size": file.entry.size, "sha256": digest},
        actor=actor,
        address=address,
    )
    with runtime.sessions.begin() as session:
        refuse_claim(session, name=file.name)
        return open_intent(session, intent=intent, now=runtime.clock())
