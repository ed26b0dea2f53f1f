"""The database itself refuses to change what was written down."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.accounts.permissions import SYSTEM
from portal.audit.chain import seal, verify
from portal.audit.service import record
from portal.runtime import Runtime

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def write(runtime: Runtime) -> None:
    with runtime.sessions.begin() as session:
        record(
            session,
            actor=SYSTEM,
            action="thing.change",
            object_kind="thing",
            object_id="1",
            now=NOW,
            detail={"name": "x"},
        )


def refused(runtime: Runtime, statement: str) -> bool:
    with pytest.raises(DBAPIError, match="never changed or deleted"):
        execute(runtime, statement)
    return True


def execute(runtime: Runtime, statement: str) -> None:
    with runtime.sessions.begin() as session:
        session.execute(text(statement))


def test_no_row_is_deleted_sealed_or_not(runtime: Runtime) -> None:
    write(runtime)
    assert refused(runtime, "DELETE FROM audit_entry")
    seal(runtime)
    assert refused(runtime, "DELETE FROM audit_entry")


@pytest.mark.parametrize("column", ["actor_name", "action", "object_id", "address", "detail"])
def test_no_fact_is_changed_even_before_the_seal(runtime: Runtime, column: str) -> None:
    write(runtime)
    assert refused(runtime, f"UPDATE audit_entry SET {column} = '[]'")


def test_a_seal_is_not_broken(runtime: Runtime) -> None:
    write(runtime)
    seal(runtime)
    assert refused(runtime, "UPDATE audit_entry SET number = NULL, previous = NULL, digest = NULL")


def test_sealing_itself_is_allowed(runtime: Runtime) -> None:
    write(runtime)
    seal(runtime)
    assert [problem for problem in verify(runtime) if problem.tampered] == []
