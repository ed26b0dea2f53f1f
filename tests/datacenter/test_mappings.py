"""Saved mappings: listed, and deleted by who may, unless a rule works with them."""

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.assembly import BATCH_KINDS
from portal.audit.models import AuditEntry
from portal.datacenter.mappings import remove_mapping
from portal.errors import ConflictError, ForbiddenError, NotFoundError
from portal.rows.processors import Mode
from portal.rows.profiles import list_profiles, save_profile
from portal.rows.treatment import PLAIN, Treatment
from portal.runtime import Runtime
from portal.tabular.rules import Case, Rules
from tests.browser_like import Browser
from tests.datacenter.conftest import Make
from tests.datacenter.processing import open_office
from tests.datacenter.shell import Shell, answer, process, refusal, run
from tests.datacenter.watching import make_rule

HEADER = ["name", "display_name", "email"]


def save(runtime: Runtime, name: str = "People", treatment: Treatment = PLAIN) -> None:
    with runtime.sessions.begin() as session:
        save_profile(
            session,
            name=name,
            header=HEADER,
            processor="users",
            mode=Mode.CREATE,
            columns=HEADER,
            treatment=treatment,
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
        remove_mapping(session, name="People", actor=SYSTEM, now=runtime.clock(), kinds=BATCH_KINDS)
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
        pytest.raises(ConflictError, match="works with the mapping 'People': the rule"),
    ):
        remove_mapping(session, name="People", actor=SYSTEM, now=runtime.clock(), kinds=BATCH_KINDS)
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


def save_twice(runtime: Runtime) -> None:
    save(runtime)
    treatment = Treatment(
        rules={"name": Rules(case=Case.LOWER, values={"BOB": "robert"})},
        constants={"roles": "member"},
    )
    save(runtime, treatment=treatment)


def test_older_versions_of_a_mapping_are_shown(app: Flask, runtime: Runtime) -> None:
    save_twice(runtime)
    boss = Browser(app)
    boss.sign_in(open_office(runtime, Role.ADMIN).actor.name)
    assert "/datacenter/mappings/versions?name=People" in boss.get("/datacenter/mappings").text
    text = boss.get("/datacenter/mappings/versions?name=People").text
    assert text.index("Version 2") < text.index("Version 1")
    assert "letters lower, 1 value named" in text
    assert "<code>BOB = robert</code>" in text
    assert "“member” for all rows" in text
    assert "Cells are taken as they are." in text
    assert f"by {SYSTEM.name}" in text
    assert boss.get("/datacenter/mappings/versions?name=nobody").status_code == 404
    assert boss.get("/datacenter/mappings/versions").status_code == 303


def test_the_shell_tells_the_versions_of_a_mapping(shell: Shell) -> None:
    save_twice(shell.runtime)
    found = answer(shell, "mappings", "versions", "People")
    assert [facts["version"] for facts in found] == [2, 1]
    assert found[0]["treatment"]["constants"] == {"roles": "member"}
    assert (
        "  name: letters lower, 1 value named"
        in run(shell, "mappings", "versions", "People").stdout
    )


def test_what_a_clerk_left_of_a_template_is_skipped_with_a_word(
    app: Flask, runtime: Runtime
) -> None:
    office = open_office(runtime, Role.ADMIN)
    boss = Browser(app)
    boss.sign_in(office.actor.name)
    template = boss.get("/datacenter/templates/users.tsv?described=yes")
    assert template.headers["Content-Type"] == "text/tab-separated-values; charset=utf-8"
    header, described, *rest = template.data.decode("utf-8-sig").splitlines()
    assert (header.split("\t")[0], rest) == ("name", [])
    rest = "\t".join(["anna", *[""] * header.count("\t")])
    office.put("users.tsv", f"{header}\n{described}\n{rest}\n")
    job_id = office.ask(office.order("users.tsv", "users"))
    assert office.finish(job_id).counts.skipped == 1
    text = boss.get(f"/datacenter/runs/{job_id}").text
    assert "The template&#39;s own help row, which is no data." in text
