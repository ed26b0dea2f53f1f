"""The chain over the audit rows: sealed in order, and telling when somebody tampered."""

import json
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from portal.accounts.permissions import SYSTEM
from portal.audit import chain
from portal.audit.chain import HEAD_FILE, ORIGIN, seal, verify
from portal.audit.models import AuditEntry
from portal.audit.service import record
from portal.runtime import Runtime
from portal.settings import Settings

NOW = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=UTC)
Record = Callable[[int], None]


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    opened = Runtime.open(settings, clock=lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture
def write(runtime: Runtime) -> Record:
    def make(count: int, at: datetime = NOW) -> None:
        with runtime.sessions.begin() as session:
            for index in range(count):
                record(
                    session,
                    actor=SYSTEM,
                    action="thing.change",
                    object_kind="thing",
                    object_id=str(index),
                    now=at,
                    address="192.0.2.1",
                    detail={"name": "Müller", "sizes": [1, 2.5, None], "on": True},
                )

    return make


def tamper(runtime: Runtime, statement: str) -> None:
    """As somebody would who owns the database: first the triggers go."""
    with runtime.sessions.begin() as session:
        connection = session.connection()
        for name in ("audit_entry_no_update", "audit_entry_no_delete"):
            on = " ON audit_entry" if connection.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{on}")
        connection.execute(text(statement))


def messages(runtime: Runtime) -> list[str]:
    return [problem.message for problem in verify(runtime)]


def test_rows_are_sealed_in_order_from_one(runtime: Runtime, write: Record) -> None:
    write(3)
    assert seal(runtime) == 3
    with runtime.reads() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [row.number for row in rows] == [1, 2, 3]
    assert [row.previous for row in rows] == [ORIGIN, rows[0].digest, rows[1].digest]


def test_sealing_goes_on_where_it_ended(runtime: Runtime, write: Record) -> None:
    write(2)
    seal(runtime)
    write(2)
    assert seal(runtime) == 2
    assert verify(runtime) == []


def test_nothing_to_seal_is_fine(runtime: Runtime) -> None:
    assert seal(runtime) == 0
    assert verify(runtime) == []


def test_many_rows_are_sealed_in_short_transactions(runtime: Runtime, write: Record) -> None:
    write(chain.SEALED_AT_ONCE + 1)
    assert seal(runtime) == chain.SEALED_AT_ONCE + 1
    assert verify(runtime) == []


def test_the_head_is_noted_for_its_owner_only(
    runtime: Runtime, write: Record, settings: Settings
) -> None:
    write(2)
    seal(runtime)
    head = settings.data / HEAD_FILE
    with runtime.reads() as session:
        last = session.scalar(select(AuditEntry.digest).where(AuditEntry.number == 2))
    assert json.loads(head.read_text()) == {"number": 2, "digest": last}
    assert stat.S_IMODE(head.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "change",
    [
        "actor_name = 'bert'",
        "actor_id = 7",
        "action = 'thing.view'",
        "object_id = '9'",
        "object_kind = 'other'",
        "address = ''",
        "detail = '{}'",
        "at = '2026-11-21 12:00:00.123457'",
    ],
)
def test_an_altered_row_is_named(runtime: Runtime, write: Record, change: str) -> None:
    write(3)
    seal(runtime)
    tamper(runtime, f"UPDATE audit_entry SET {change} WHERE number = 2")
    assert messages(runtime) == ["Audit row 2 was altered after it was sealed."]


def test_a_removed_row_leaves_a_gap(runtime: Runtime, write: Record) -> None:
    write(4)
    seal(runtime)
    tamper(runtime, "DELETE FROM audit_entry WHERE number IN (2, 3)")
    assert messages(runtime) == ["Audit rows 2 to 3 are missing from the chain."]


def test_a_removed_end_is_missed(runtime: Runtime, write: Record) -> None:
    write(4)
    seal(runtime)
    tamper(runtime, "DELETE FROM audit_entry WHERE number > 2")
    assert messages(runtime) == ["The last 2 sealed audit rows are missing."]


def test_a_removed_end_is_missed_even_after_more_was_sealed(
    runtime: Runtime, write: Record
) -> None:
    write(4)
    seal(runtime)
    tamper(runtime, "DELETE FROM audit_entry WHERE number > 2")
    write(5)
    seal(runtime)
    assert messages(runtime) == ["Audit row 4 is not the one that was noted as head."]


def test_a_row_with_a_new_digest_breaks_the_next(runtime: Runtime, write: Record) -> None:
    write(3)
    seal(runtime)
    with runtime.reads() as session:
        row = session.scalars(select(AuditEntry).where(AuditEntry.number == 2)).one()
    row.action = "thing.view"
    forged = chain.digest_of(row, number=2, previous=row.previous or "")
    tamper(
        runtime,
        f"UPDATE audit_entry SET action = 'thing.view', digest = '{forged}' WHERE number = 2",
    )
    assert messages(runtime) == ["Audit row 3 does not follow the one before it."]


def test_a_chain_that_was_made_anew_is_not_the_one_noted(
    runtime: Runtime, write: Record, settings: Settings
) -> None:
    write(3)
    seal(runtime)
    noted = (settings.data / HEAD_FILE).read_text()
    tamper(
        runtime,
        "UPDATE audit_entry SET number = NULL, previous = NULL, digest = NULL, action = 'x'",
    )
    (settings.data / HEAD_FILE).unlink()
    seal(runtime)
    (settings.data / HEAD_FILE).write_text(noted)
    assert messages(runtime) == ["Audit row 3 is not the one that was noted as head."]


def test_a_missing_head_is_told_until_the_next_seal(
    runtime: Runtime, write: Record, settings: Settings
) -> None:
    write(1)
    seal(runtime)
    (settings.data / HEAD_FILE).unlink()
    assert messages(runtime) == ["audit.head is missing from the data folder."]
    write(1)
    seal(runtime)
    assert messages(runtime) == []


def test_a_damaged_head_is_told(runtime: Runtime, write: Record, settings: Settings) -> None:
    write(1)
    seal(runtime)
    (settings.data / HEAD_FILE).write_text("{")
    assert messages(runtime) == ["audit.head in the data folder is damaged."]


def test_rows_that_wait_long_for_their_seal_are_told_but_are_no_tampering(
    runtime: Runtime, write: Callable[..., None]
) -> None:
    write(1, at=NOW - timedelta(seconds=59))
    assert verify(runtime) == []
    write(1, at=NOW - timedelta(seconds=61))
    (problem,) = verify(runtime)
    assert "wait for their seal" in problem.message
    assert not problem.tampered


def test_many_problems_are_cut_short(runtime: Runtime, write: Record) -> None:
    write(60)
    seal(runtime)
    tamper(runtime, "UPDATE audit_entry SET actor_name = 'bert'")
    found = messages(runtime)
    assert len(found) == chain.NAMED + 1
    assert found[-1] == "… and 40 more such problems."


def test_two_sealers_at_once_make_one_chain(runtime: Runtime, write: Record) -> None:
    write(50)
    seal(runtime)
    seal(runtime)
    with runtime.reads() as session:
        assert session.scalar(select(func.max(AuditEntry.number))) == 50
    assert verify(runtime) == []
