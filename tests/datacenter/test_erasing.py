"""Erasing the rows of one person: what is lost, what stays, who may, and that it is on record."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, update

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.audit.models import AuditEntry
from portal.datacenter.commands import datacenter
from portal.datacenter.erasing import erase_rows, plan_erasure
from portal.errors import ConflictError, ForbiddenError, NotFoundError
from portal.rows.batch import Batch
from portal.rows.books import open_books
from portal.rows.copies import sources_folder
from portal.rows.ledger import entries
from portal.rows.models import PORTAL_LEDGER
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.datacenter.processing import Office, open_office
from tests.datacenter.shell import Shell, answer, refusal

USERS = "name,display_name,email\nanna,Anna,anna@example.org\nbob,Bob,none\n"
OTHERS = "name,display_name,email\ncarl,Carl,none\n"


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


@pytest.fixture
def batch(office: Office) -> Batch:
    office.put("users.csv", USERS)
    return office.process("users.csv", "users")


def cells(runtime: Runtime, batch: Batch) -> list[object]:
    books = open_books(runtime, batch.store)
    with books.read() as session:
        return [entry.cells for entry in entries(session, books.tables, batch) if entry.cells]


def copies(runtime: Runtime) -> list[Path]:
    return list(sources_folder(runtime.settings).iterdir())


def test_rows_copies_and_pending_files_go_and_counts_stay(office: Office, batch: Batch) -> None:
    runtime = office.runtime
    assert cells(runtime, batch)
    erased = erase_rows(runtime, name="BERTA", actor=SYSTEM)
    assert [one.id for one in erased.batches] == [batch.id]
    assert (cells(runtime, batch), copies(runtime), office.lying()[""]) == ([], [], [])
    after = office.batch(batch.id)
    assert (after.counts, after.forgotten_at is not None) == (batch.counts, True)
    assert office.lying()["unfinished"] == ["users.csv"]


def test_rows_of_others_stay(office: Office, batch: Batch) -> None:
    other = open_office(office.runtime, Role.ADMIN, name="otto")
    other.put("others.csv", OTHERS)
    kept = other.process("others.csv", "users")
    erase_rows(office.runtime, name="berta", actor=SYSTEM)
    assert cells(office.runtime, kept)
    assert len(copies(office.runtime)) == 1
    assert [name.startswith("others") for name in other.lying()[""]] == [True]


def test_an_erasure_is_on_record(office: Office, batch: Batch) -> None:
    erase_rows(office.runtime, name="berta", actor=SYSTEM)
    with office.runtime.reads() as session:
        found = select(AuditEntry).where(AuditEntry.action == "rows.erase")
        entry = session.scalars(found).one()
    assert (entry.object_id, entry.detail["batches"]) == (str(office.actor.user_id), 1)


def test_nothing_goes_while_a_batch_is_not_over(office: Office, batch: Batch) -> None:
    table = PORTAL_LEDGER.batch
    with office.runtime.sessions.begin() as session:
        session.execute(update(table).values(state="paused"))
    with pytest.raises(ConflictError, match="not over"):
        erase_rows(office.runtime, name="berta", actor=SYSTEM)
    assert cells(office.runtime, batch)


def test_only_administrators_erase(office: Office, batch: Batch) -> None:
    manager = Actor(user_id=None, name="ina", roles=frozenset({Role.IMPORT_MANAGER}))
    with pytest.raises(ForbiddenError):
        plan_erasure(office.runtime, name="berta", actor=manager)
    with pytest.raises(ForbiddenError):
        erase_rows(office.runtime, name="berta", actor=manager)


def test_the_shell_asks_first_and_says_what_will_be_lost(shell: Shell, batch: Batch) -> None:
    words = ["forget", "--user", "berta"]
    result = CliRunner().invoke(datacenter, words, obj=shell, input="n\n")
    assert result.exit_code == 1
    assert "The rows of 1 batch of berta" in result.stderr
    assert cells(shell.runtime, batch)
    assert answer(shell, *words, "--yes")["batches"] == [batch.id]
    assert cells(shell.runtime, batch) == []
    assert isinstance(refusal(shell, "forget", "--user", "nobody", "--yes"), NotFoundError)


def test_the_page_says_what_will_be_lost_and_erases(
    app: Flask, office: Office, batch: Batch
) -> None:
    boss = Browser(app)
    boss.sign_in(office.actor.name)
    assert "Erase a person" in boss.get("/datacenter/settings").text
    assert "The rows of 1 batch of berta" in boss.get("/datacenter/erase?user=berta").text
    assert boss.post("/datacenter/erase", {"user": "berta"}).status_code == 303
    assert cells(office.runtime, batch) == []
    assert "Nothing is kept" in boss.get("/datacenter/erase?user=berta").text


def test_the_page_is_for_administrators(app: Flask, office: Office, batch: Batch) -> None:
    other = Browser(app)
    other.sign_in(open_office(office.runtime, Role.IMPORT_MANAGER, name="ina").actor.name)
    assert other.get("/datacenter/erase?user=berta").status_code == 403
    assert other.post("/datacenter/erase", {"user": "berta"}).status_code == 403
    assert cells(office.runtime, batch)
