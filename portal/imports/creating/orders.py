"""Asking for a file to be gone through, and for a table. Services flush, edges commit."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.audit.service import record
from portal.errors import ForbiddenError
from portal.imports.files import StoredFile
from portal.imports.orders import Asked, ImportOrder, lane_of
from portal.imports.words import KIND
from portal.jobs.service import Subject, submit
from portal.rows.batch_kinds import Wish
from portal.tables.grants import SUBJECT, place_of
from portal.tables.new_tables import NewTable
from portal.visible import visible

SURVEY = "imports.survey"
CREATE = "imports.create"
FILE = "import-file"


def may_create(actor: Actor) -> bool:
    """Say whether `actor` may make tables out of files: who grants tables, and imports."""
    return actor.may(Permission.TABLES_GRANT) and actor.may(Permission.IMPORTS_RUN)


def check_may_create(actor: Actor) -> None:
    """Raise ForbiddenError where `actor` may not make tables."""
    if not may_create(actor):
        raise ForbiddenError("Only an administrator makes tables.")


def ask_to_survey(
    session: Session, *, stored: StoredFile, reading: Mapping[str, str], wish: Wish
) -> Asked:
    """Queue the going through a file that waits, read as `reading` says. Raises ForbiddenError."""
    check_may_create(wish.actor)
    submitted = submit(
        session,
        kind=wish.kinds.get(SURVEY),
        actor=wish.actor,
        args={
            "source": stored.id,
            "file_name": stored.name,
            "size": stored.size,
            "sha256": stored.sha256,
            "reading": dict(reading),
        },
        title=f"Look through {visible(stored.name)} for a new table",
        subject=Subject(kind=FILE, id=stored.id),
        waker=wish.waker,
        now=wish.now,
        exactly=True,
    )
    return Asked(job=submitted.job, joined=submitted.joined)


def ask_to_create(session: Session, *, table: NewTable, order: ImportOrder, wish: Wish) -> Asked:
    """Queue the making of a table and the import of `order` into it. Raises ForbiddenError."""
    check_may_create(wish.actor)
    place = place_of(wish.runtime.settings)
    submitted = submit(
        session,
        kind=wish.kinds.get(CREATE),
        actor=wish.actor,
        args=order.as_args() | {"place": place, "new": table.as_json()},
        title=f"Create table {table.name} from {visible(order.file_name)}",
        subject=Subject(kind=SUBJECT, id=table.name),
        waker=wish.waker,
        now=wish.now,
        lane=lane_of(place, table.name),
        exactly=True,
    )
    if not submitted.joined:
        _record(session, wish, table, order, submitted.job.id)
    return Asked(job=submitted.job, joined=submitted.joined)


def _record(session: Session, wish: Wish, table: NewTable, order: ImportOrder, job_id: str) -> None:
    detail: dict[str, Any] = {
        "area": KIND,
        "job": job_id,
        "file": order.file_name,
        "sha256": order.sha256,
        "columns": [f"{column.name} {column.said}" for column in table.columns],
        "key": list(table.key),
    }
    record(
        session,
        actor=wish.actor,
        action=CREATE,
        object_kind=SUBJECT,
        object_id=table.name,
        now=wish.now,
        address=wish.address,
        detail=detail,
    )
