"""The ledger of a batch: claims, the fence of each chunk, the fates of rows and their sum.

A batch belongs to the holder of its token. Tokens are allotted in the portal's database, under the
fence of the job; the first statement of each chunk asks for the token in the ledger itself, so
that a process that lost its job writes nothing, whichever database the records are in.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, Update, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from portal.db import changed
from portal.jobs.ledger import LeaseLostError
from portal.rows.batch import Batch, Entry, Outcome
from portal.rows.batch_row import batch_of, entry_of, row_of
from portal.rows.schema import LedgerTables

PAGE = 500
_MIRRORED = (
    "state",
    "attempt",
    "next_row",
    "total",
    *(str(outcome) for outcome in Outcome),
    "retry_rows",
    "retry_next",
    "backup_bytes",
    "undo_next",
    "undone",
    "kept",
    "started_at",
    "ended_at",
    "forgotten_at",
)


def find_batch(session: Session, tables: LedgerTables, batch_id: str) -> Batch | None:
    """The batch with this id as the ledger has it, or None."""
    row = session.execute(select(tables.batch).where(tables.batch.c.id == batch_id)).one_or_none()
    return None if row is None else batch_of(row)


def allot(session: Session, tables: LedgerTables, batch_id: str, *, job_id: str) -> Batch | None:
    """Raise the token of a batch for the job that now works on it; None where it is gone."""
    table = tables.batch
    raised = (
        update(table)
        .where(table.c.id == batch_id)
        .values(token=table.c.token + 1, job_id=job_id)
        .returning(table)
    )
    row = session.execute(raised).one_or_none()
    return None if row is None else batch_of(row)


def claim_copy(session: Session, tables: LedgerTables, batch: Batch) -> Batch:
    """Claim the batch in a ledger outside of the portal's database, copying it there at first.

    Raises LeaseLostError where a later holder was there before.
    """
    table = tables.batch
    make = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    values = row_of(batch) | {"token": 0}
    session.execute(make(table).values(**values).on_conflict_do_nothing(index_elements=["id"]))
    raised = (
        update(table)
        .where(table.c.id == batch.id, table.c.token < batch.token)
        .values(token=batch.token, job_id=batch.job_id)
        .returning(table)
    )
    row = session.execute(raised).one_or_none()
    if row is None:
        raise LeaseLostError(batch.id)
    return batch_of(row)


def write_batch(session: Session, tables: LedgerTables, batch: Batch, **values: Any) -> Batch:
    """Change the batch's row while its token is ours; returns it as it is then.

    As the first statement of a transaction this is the fence. Raises LeaseLostError where the
    token is no longer ours.
    """
    held = _held(tables.batch, batch).values(**values).returning(tables.batch)
    row = session.execute(held).one_or_none()
    if row is None:
        raise LeaseLostError(batch.id)
    return batch_of(row)


def ask_to_pause(session: Session, tables: LedgerTables, batch_id: str, *, asked: bool) -> bool:
    """Ask a batch to pause at its next chunk, or take that back; False where it is gone."""
    table = tables.batch
    statement = update(table).where(table.c.id == batch_id).values(pause_asked=asked)
    return changed(session, statement) == 1


def fence(session: Session, tables: LedgerTables, batch: Batch) -> None:
    """First statement of every chunk; raises LeaseLostError where the batch is not ours."""
    token = tables.batch.c.token
    if changed(session, _held(tables.batch, batch).values(token=token)) != 1:
        raise LeaseLostError(batch.id)


def counted(tables: LedgerTables, gains: Mapping[Outcome, int]) -> dict[str, Any]:
    """What `write_batch` is told so that the counts change by `gains`."""
    columns = tables.batch.c
    return {str(outcome): columns[outcome] + gain for outcome, gain in gains.items() if gain}


def add_entries(session: Session, tables: LedgerTables, entries: Sequence[dict[str, Any]]) -> None:
    """Write down fates of rows; each is a dict of every column of the row table."""
    if not entries:
        return
    if session.get_bind().dialect.name == "postgresql":
        _add_as_json(session, tables.row, entries)
    else:
        session.execute(insert(tables.row), entries)


def entries(
    session: Session,
    tables: LedgerTables,
    batch: Batch,
    *conditions: ColumnElement[bool],
    after: int = 0,
) -> Iterator[Entry]:
    """Fates in the order of rows from behind row `after`, read a page at a time."""
    table = tables.row
    while True:
        page = session.execute(
            select(table)
            .where(table.c.batch == batch.number, table.c.first_row > after, *conditions)
            .order_by(table.c.first_row)
            .limit(PAGE)
        ).all()
        yield from (entry_of(row) for row in page)
        if len(page) < PAGE:
            return
        after = page[-1].first_row


def entries_before(
    session: Session,
    tables: LedgerTables,
    batch: Batch,
    outcomes: Iterable[Outcome],
    *,
    before: int,
    limit: int,
) -> list[Entry]:
    """The last `limit` fates of these `outcomes` that begin before row `before`, last first."""
    table = tables.row
    page = session.execute(
        select(table)
        .where(
            table.c.batch == batch.number,
            table.c.outcome.in_(list(outcomes)),
            table.c.first_row < before,
        )
        .order_by(table.c.first_row.desc())
        .limit(limit)
    )
    return [entry_of(row) for row in page]


def mirror(session: Session, portal: LedgerTables, batch: Batch) -> None:
    """Copy state and counts from a ledger elsewhere to the portal's row of the same batch."""
    values = row_of(batch)
    same = {name: values[name] for name in _MIRRORED}
    table = portal.batch
    session.execute(
        update(table).where(table.c.id == batch.id, table.c.token == batch.token).values(**same)
    )


def _add_as_json(session: Session, table: Table, entries: Sequence[dict[str, Any]]) -> None:
    """All in one parameter: a tenth of the time that a statement for each of them takes."""
    name = session.get_bind().dialect.identifier_preparer.format_table(table)
    columns = ", ".join(column.name for column in table.columns)
    rows = f"json_populate_recordset(NULL::{name}, %s)"
    statement = f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {rows}"  # noqa: S608 - names of our own
    told = json.dumps(entries, default=_as_bytea)
    session.connection().exec_driver_sql(statement, (told,))


def _as_bytea(value: object) -> str:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"an entry cannot hold {type(value).__name__}")


def _held(table: Table, batch: Batch) -> Update:
    return update(table).where(table.c.id == batch.id, table.c.token == batch.token)
