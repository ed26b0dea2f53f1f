"""What a worker does for a new table: make it, grant it, and import its file at once."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, text

from portal.audit.service import record
from portal.db import reading
from portal.errors import ConflictError, PortalError
from portal.imports.creating.orders import check_may_create
from portal.imports.orders import ImportOrder
from portal.imports.rights import check_place
from portal.imports.runs import import_file
from portal.jobs.work import UnsuccessfulError, Work
from portal.rows.copies import find_batch_id
from portal.rows.processors import Processors
from portal.tables.actions import OF_OUR_OWN
from portal.tables.catalog import catalog_of
from portal.tables.creating import create_table, is_made_of
from portal.tables.grants import SUBJECT, set_grants
from portal.tables.new_tables import NewTable, taken_text
from portal.tables.quoting import quoted

MADE = "The table {table!r} was created."
STAYS = "The table {table!r} was created and stays, but nothing was imported into it."


def create_and_import(
    work: Work, *, processors: Processors, place: str, new: Mapping[str, Any], **args: Any
) -> None:
    """Make a table and import its file. Where the file is refused, the table stays, and it is said.

    A job that was cut short finds the table that it made, as long as nobody put rows into it.
    """
    check_place(work.runtime.settings, place)
    check_may_create(work.actor)
    table, order = NewTable.from_json(new), ImportOrder.from_args(args)
    with work.runtime.reads() as session:
        begun = find_batch_id(session, job_id=work.claim.job_id)
    catalog_of(work.runtime).refresh()  # an attempt before this one may have made it just now
    if not begun:
        _make(work, table)
    try:
        import_file(
            work,
            order,
            processors=processors,
            place=place,
            begins=MADE.format(table=table.name),
            refused=STAYS.format(table=table.name),
        )
    except UnsuccessfulError:
        raise
    except PortalError as error:
        told = f"{STAYS.format(table=table.name)} {error}"
        raise UnsuccessfulError(told, result={"text": told}) from error


def _make(work: Work, new: NewTable) -> None:
    work.progress(stage="Making the table")
    there = catalog_of(work.runtime).find(new.name)
    if there is None:
        create_table(work.runtime, new)
    elif work.claim.attempt == 1 or not is_made_of(there, new) or _has_rows(work, new.name):
        raise ConflictError(taken_text(new.name))
    _grant(work, new)


def _has_rows(work: Work, table: str) -> bool:
    with reading(work.runtime.tables).connect() as connection:
        one = select(text("1")).select_from(text(quoted(table))).limit(1)
        return connection.scalar(one) is not None


def _grant(work: Work, new: NewTable) -> None:
    """Who imports may do everything with a table that Portal made."""
    now = work.runtime.clock()
    with work.effect() as session:
        record(
            session,
            actor=work.actor,
            action="table.create",
            object_kind=SUBJECT,
            object_id=new.name,
            now=now,
            detail={"job": work.claim.job_id},
        )
        set_grants(
            session,
            settings=work.runtime.settings,
            actor=work.actor,
            table=new.name,
            grants=OF_OUR_OWN,
            now=now,
        )
