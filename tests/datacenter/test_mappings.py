"""Saved mappings: listed, and deleted by who may, unless a rule works with them."""

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.audit.models import AuditEntry
from portal.datacenter.mappings import remove_mapping
from portal.errors import ConflictError, ForbiddenError, NotFoundError
from portal.rows.processors import Mode
from portal.rows.profiles import list_profiles, save_profile
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.datacenter.conftest import Make
from tests.datacenter.processing import open_office
from tests.datacenter.shell import Shell, answer, process, refusal, run
from tests.datacenter.watching import make_rule

HEADER = ["name", "display_name", "email"]


def save(runtime: Runtime, name: str = "People") -> None:
    with runtime.sessions.begin() as session:
        save_profile(
            session,
            name=name,
            header=HEADER,
            processor="users",
            mode=Mode.CREATE,
            columns=HEADER,
            actor=SYSTEM,
            now=runtime.clock(),
        )


def names(runtime: Runtime) -> list[str]:
    with runtime.reads() as session:
        return [profile.name for profile in list_profiles(session)]


def test_mappings_are_listed_and_deleted_from_the_shell(shell: Shell) -> None:
    save(shell.runtime)
    (facts,) = answer(shell, "mappings", "list")
    assert (facts["name"], facts["processor"], facts["used"]) == ("People", "users", None)
    assert "People\tusers\tcreate\tsystem\tnever used" in run(shell, "mappings", "list").stdout
    assert answer(shell, "mappings", "delete", "People") == {"deleted": "People"}
    assert names(shell.runtime) == []
    assert isinstance(refusal(shell, "mappings", "delete", "People"), NotFoundError)


def test_a_mapping_tells_when_a_file_was_last_processed_with_it(
    shell: Shell, make_file: Make
) -> None:
    save(shell.runtime)
    answer(shell, "put", make_file())
    process(shell, "users.csv", "users")
    (facts,) = answer(shell, "mappings", "list")
    assert facts["used"] is not None


def test_a_deletion_is_on_record(runtime: Runtime) -> None:
    save(runtime)
    with runtime.sessions.begin() as session:
        remove_mapping(session, name="People", actor=SYSTEM, now=runtime.clock())
    with runtime.reads() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "mapping.delete")
        ).one()
    assert (entry.object_id, entry.detail["processor"]) == ("People", "users")


def test_who_may_only_look_deletes_none(shell: Shell) -> None:
    save(shell.runtime)
    shell.actor = Actor(user_id=None, name="ina", roles=frozenset({Role.OPERATOR}))
    assert isinstance(refusal(shell, "mappings", "delete", "People"), ForbiddenError)
    assert isinstance(refusal(shell, "mappings", "list"), ForbiddenError)
    assert names(shell.runtime) == ["People"]


def test_a_mapping_that_a_rule_works_with_stays(runtime: Runtime) -> None:
    save(runtime)
    make_rule(open_office(runtime, Role.ADMIN), profile="People")
    with (
        runtime.sessions.begin() as session,
        pytest.raises(ConflictError, match="Rules work with the mapping 'People'"),
    ):
        remove_mapping(session, name="People", actor=SYSTEM, now=runtime.clock())
    assert names(runtime) == ["People"]


def test_the_page_lists_mappings_and_deletes_them(app: Flask, runtime: Runtime) -> None:
    save(runtime)
    boss = Browser(app)
    boss.sign_in(open_office(runtime, Role.ADMIN).actor.name)
    assert "People" in boss.get("/datacenter/mappings").text
    assert boss.post("/datacenter/mappings/delete", {"name": "People"}).status_code == 303
    assert "The mapping People was deleted." in boss.get("/datacenter/mappings").text
    assert names(runtime) == []


def test_the_page_is_for_who_may_see_the_data_centre(app: Flask, runtime: Runtime) -> None:
    save(runtime)
    other = Browser(app)
    other.sign_in(open_office(runtime, Role.OPERATOR).actor.name)
    assert other.get("/datacenter/mappings").status_code == 403
    assert other.post("/datacenter/mappings/delete", {"name": "People"}).status_code == 403
    assert names(runtime) == ["People"]
