"""What tests of large removals share: users to remove, the removal asked for, and its approval."""

from sqlalchemy import func, select

from portal.accounts.models import User
from portal.accounts.permissions import Actor
from portal.datacenter import approving
from portal.rows.batch import Batch
from portal.rows.processors import Mode
from tests.datacenter.processing import Office

FILE = "leavers.csv"


def names(count: int) -> str:
    return "name\n" + "".join(f"user{number}\n" for number in range(count))


def make_users(office: Office, count: int) -> None:
    office.put("joiners.csv", names(count))
    office.process("joiners.csv", "users")


def ask_to_remove(office: Office, count: int) -> Batch:
    """The batch of a removal as it is once its job ended."""
    office.put(FILE, names(count))
    return office.process(FILE, "users", Mode.REMOVE)


def approve(office: Office, batch: Batch, *, actor: Actor | None = None) -> str:
    """The id of the job that then does the removal."""
    second = office if actor is None else Office(runtime=office.runtime, actor=actor)
    with office.runtime.sessions.begin() as session:
        return approving.approve(
            session, batch=batch, center=second.center, asking=second.asking()
        ).job.id


def users_left(office: Office) -> int:
    with office.runtime.reads() as session:
        return session.scalar(select(func.count()).select_from(User)) or 0
