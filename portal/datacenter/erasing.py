"""Erasing what the rows of one person's batches were, before their time. Facts stay.

Counts, fates and the audit log stay as they are; what the rows said, what stood in the records
before, the copies that batches read and the files of failing rows are gone for good.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.accounts.permissions import Actor, Permission
from portal.accounts.service import find_user
from portal.audit.service import record
from portal.datacenter import disk
from portal.datacenter.facts import facts_of
from portal.datacenter.removal import delete_files
from portal.datacenter.service import open_data_center
from portal.errors import ConflictError, ForbiddenError, NotFoundError
from portal.rows.batch import Batch
from portal.rows.copies import remove_copies
from portal.rows.retention import batches_of_person, forget_batch, is_over
from portal.runtime import Runtime

_ROWS = (
    "The rows of {batches} of {name}: what they said, what stood in the records before, and the "
    "copies of the files. These batches can be neither undone nor repaired any more; their counts "
    "and the audit log stay."
)


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """What would be erased of a person, or was.

    `busy` are batches that are not over; `files` are the names on disk of files of failing rows.
    """

    user_id: int
    name: str
    batches: tuple[Batch, ...]
    busy: int
    files: tuple[str, ...]

    @property
    def loss(self) -> list[str]:
        """What will be lost, in sentences."""
        count = len(self.batches)
        batches = f"{count} batch{'' if count == 1 else 'es'}"
        said = [_ROWS.format(batches=batches, name=self.name)]
        if self.files:
            said.append(f"Files of failing rows under Waiting: {', '.join(self.files)}.")
        said.append("Files in Finished, Unfinished and the backups stay; delete them there.")
        return said


def plan_erasure(runtime: Runtime, *, name: str, actor: Actor) -> Erasure:
    """What would be erased of the person called `name`.

    Raises ForbiddenError for all but administrators, and NotFoundError.
    """
    if not actor.may(Permission.USERS_MANAGE):
        raise ForbiddenError("Only an administrator may erase the rows of a person.")
    lying = disk.entries(open_data_center(runtime).storage)
    with runtime.reads() as session:
        user = _user(session, name)
        found = batches_of_person(session, user_id=user.id)
        facts = facts_of(session, lying)
    over = tuple(batch for batch in found if is_over(batch))
    return Erasure(
        user_id=user.id,
        name=user.name,
        batches=over,
        busy=len(found) - len(over),
        files=tuple(
            name
            for name, fact in facts.items()
            if fact.origin == "pending" and fact.by_id == user.id
        ),
    )


def erase_rows(runtime: Runtime, *, name: str, actor: Actor, address: str = "") -> Erasure:
    """Erase it; what was erased is returned. No session may be open beside.

    Raises what `plan_erasure` does, and ConflictError where batches are not over or a job has one
    of the files.
    """
    planned = plan_erasure(runtime, name=name, actor=actor)
    if planned.busy:
        raise ConflictError(
            f"{planned.busy} of the batches of {planned.name} are not over; let them go on, put "
            "their rest aside or cancel them first."
        )
    with runtime.sessions.begin() as session:
        _record(session, planned, actor=actor, address=address, runtime=runtime)
    if planned.files:
        delete_files(runtime, wanted=planned.files, actor=actor, address=address)
    for batch in planned.batches:
        if not forget_batch(runtime, batch, now=runtime.clock()):
            raise ConflictError("Somebody just works on one of the batches; ask again later.")
    remove_copies(runtime, planned.batches)
    return planned


def _user(session: Session, name: str) -> User:
    user = find_user(session, name)
    if user is None:
        raise NotFoundError(f"There is no user {name!r}.")
    return user


def _record(
    session: Session, planned: Erasure, *, actor: Actor, address: str, runtime: Runtime
) -> None:
    record(
        session,
        actor=actor,
        action="rows.erase",
        object_kind="user",
        object_id=str(planned.user_id),
        now=runtime.clock(),
        address=address,
        detail={
            "name": planned.name,
            "batches": len(planned.batches),
            "files": list(planned.files),
        },
    )
