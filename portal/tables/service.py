"""What people do with tables: see which there are, look into them, ask for exports."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.audit.service import record
from portal.db import reading
from portal.errors import ForbiddenError, NotFoundError
from portal.jobs.kinds import Kinds
from portal.jobs.service import Subject, Submitted, submit
from portal.jobs.wake import Waker
from portal.runtime import Runtime
from portal.tables.actions import Action, Rights
from portal.tables.browsing import RowsPage, Wanted, browse
from portal.tables.catalog import catalog_of
from portal.tables.counting import Count, count_all
from portal.tables.files import FileFormat
from portal.tables.grants import SUBJECT, place_of, rights_of
from portal.tables.layout import Layout, lay_out
from portal.tables.natural_keys import references_of
from portal.tables.shapes import Made, TableShape

EXPORT = "tables.export"
IMPORTS = (Action.CREATE, Action.UPDATE, Action.REMOVE)
SEEN = (Action.BROWSE, *IMPORTS)
TOLD = (*SEEN, Action.EXPORT)


@dataclass(frozen=True, kw_only=True)
class TableLine:
    """A table in a list: how it looks, how many rows it has, what the actor may do with it."""

    shape: TableShape
    count: Count
    actions: tuple[Action, ...]


def tables_for(runtime: Runtime, rights: Rights, *, actions: Sequence[Action]) -> list[TableShape]:
    """The tables with which the actor may do one of `actions`, by name."""
    tables = catalog_of(runtime).tables()
    return [shape for name, shape in tables.items() if rights.may_any(name, actions)]


def list_tables(
    runtime: Runtime, rights: Rights, *, text: str = "", after: str = "", limit: int
) -> list[TableLine]:
    """The tables that the actor may see, those whose name contains `text`, from `after` on."""
    sought = text.casefold()
    shapes = [
        shape
        for shape in tables_for(runtime, rights, actions=TOLD)
        if sought in shape.name.casefold() and shape.name > after
    ][:limit]
    with reading(runtime.tables).connect() as connection:
        counts = count_all(connection, shapes)
    return [
        TableLine(
            shape=shape,
            count=counts[shape.name],
            actions=tuple(action for action in Action if rights.may(shape.name, action)),
        )
        for shape in shapes
    ]


def get_table(
    runtime: Runtime, rights: Rights, *, name: str, actions: Sequence[Action] = SEEN
) -> TableShape:
    """The table called `name`, if the actor may do one of `actions` with it.

    Raises NotFoundError otherwise, so that nobody learns of tables that are not his.
    """
    if not rights.may_any(name, actions):
        raise NotFoundError(f"Table does not exist: {name}")
    return catalog_of(runtime).get(name)


def words_for(runtime: Runtime, rights: Rights, shape: TableShape) -> list[str]:
    """The tables that rows of `shape` name by a word which the actor may know."""
    references = references_of(shape, catalog_of(runtime).tables()).values()
    named = {one.table for one in references if not one.is_plain}
    return sorted(name for name in named if rights.may_any(name, TOLD))


def layout_to_read(runtime: Runtime, shape: TableShape, *, words: Collection[str]) -> Layout:
    """How the rows of a table are read, columns by formula included.

    Rows of other tables than `words` are told by the key alone.
    """
    tables = catalog_of(runtime).tables()
    references = references_of(shape, tables).values()
    hidden = {one.table for one in references if not one.is_plain}.difference(words)
    columns = tuple(
        replace(column, made=Made.BY_DEFAULT) if column.made is Made.BY_FORMULA else column
        for column in shape.columns
    )
    return lay_out(
        replace(shape, columns=columns),
        {name: table for name, table in tables.items() if name not in hidden},
        dialect=runtime.tables.dialect.name,
        zone=runtime.settings.zone,
    )


def look_into(runtime: Runtime, layout: Layout, *, wanted: Wanted, limit: int) -> RowsPage:
    """The rows that are wanted. Raises InvalidError."""
    with reading(runtime.tables).connect() as connection:
        return browse(connection, layout, wanted=wanted, limit=limit)


def create_export(
    session: Session,
    *,
    runtime: Runtime,
    actor: Actor,
    table: str,
    file_format: FileFormat,
    kinds: Kinds,
    waker: Waker,
    now: datetime,
    address: str = "",
) -> Submitted:
    """Ask for a file of all rows; an equal one that is active is joined.

    It tells rows of other tables by their word where the actor may know it, else by the key.

    Raises NotFoundError, and ForbiddenError where the actor may see the table, but not this.
    """
    rights = rights_of(session, settings=runtime.settings, actor=actor)
    shape = get_table(runtime, rights, name=table, actions=TOLD)
    if not rights.may(table, Action.EXPORT):
        raise ForbiddenError("You may see this table, but not export it.")
    args = {
        "table": table,
        "file_format": str(file_format),
        "place": place_of(runtime.settings),
        "words": words_for(runtime, rights, shape),
    }
    submitted = submit(
        session,
        kind=kinds.get(EXPORT),
        actor=actor,
        args=args,
        title=f"Export of table {table} ({file_format})",
        subject=Subject(kind=SUBJECT, id=f"{table}:{file_format}"),
        waker=waker,
        now=now,
        exactly=True,
    )
    if not submitted.joined:
        detail = {"job": submitted.job.id, "format": str(file_format)}
        _record(session, actor, table, now=now, address=address, detail=detail)
    return submitted


def _record(
    session: Session,
    actor: Actor,
    table: str,
    *,
    now: datetime,
    address: str,
    detail: dict[str, str],
) -> None:
    record(
        session,
        actor=actor,
        action="table.export",
        object_kind=SUBJECT,
        object_id=table,
        now=now,
        address=address,
        detail=detail,
    )
