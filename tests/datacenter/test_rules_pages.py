"""The pages of rules, and their list in the shell: one's own, or all for an administrator."""

from typing import Any

import pytest
from flask import Flask

from portal.accounts.permissions import Role
from portal.assembly import KINDS, processors_for
from portal.datacenter.rules.patterns import is_for_rules
from portal.errors import ForbiddenError
from portal.patterns import fits
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.datacenter.processing import PASSWORD, Office, open_office
from tests.datacenter.shell import Shell, answer, refusal, run
from tests.datacenter.watching import drop, look, make_rule, rule_row

FORM = {
    "name": "People",
    "pattern": "users*.csv",
    "processor": "users",
    "mode": "create",
    "reason": "deleted",
    "profile": "",
    "place": "10",
    "expect": "time",
    "by": "08:00",
    "days": ["1", "2", "3", "4", "5"],
    "cron": "",
    "grace": "15",
}


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


def browser_of(app: Flask, name: str) -> Browser:
    browser = Browser(app)
    assert browser.sign_in(name, PASSWORD).status_code == 303
    return browser


@pytest.fixture
def berta(app: Flask, office: Office) -> Browser:
    return browser_of(app, office.actor.name)


def form(**values: Any) -> dict[str, Any]:
    return FORM | values


def test_without_rules_the_page_says_what_they_are_for(berta: Browser) -> None:
    text = berta.get("/datacenter/rules").text
    assert "No rules yet" in text
    assert 'href="/datacenter/rules/new"' in text


def test_a_rule_is_made_and_listed_in_words(berta: Browser, office: Office) -> None:
    assert "Choose…" in berta.get("/datacenter/rules/new").text
    assert berta.post("/datacenter/rules", form()).location == "/datacenter/rules"
    text = berta.get("/datacenter/rules").text
    assert "users*.csv" in text
    assert "by 08:00 on workdays" in text
    assert "15 min grace" in text
    assert rule_row(office, 1).owner_id == office.actor.user_id


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": ""}, "Give the rule a name."),
        ({"pattern": "a/b"}, "without folders"),
        ({"by": "25:00"}, "HH:MM"),
        ({"days": []}, "at least one day"),
        ({"expect": "cron", "cron": "at noon"}, "no cron expression"),
        ({"place": "x"}, "Not a valid integer value"),
        ({"processor": ""}, "Choose a processor."),
    ],
)
def test_a_wrong_rule_comes_back_with_what_is_wrong(
    berta: Browser, values: dict[str, Any], said: str
) -> None:
    response = berta.post("/datacenter/rules", form(**values))
    assert response.status_code == 422
    assert said in response.text


def test_a_name_that_is_taken_is_said_on_the_form(berta: Browser, office: Office) -> None:
    make_rule(office)
    response = berta.post("/datacenter/rules", form())
    assert response.status_code == 422
    assert "Another rule is called" in response.text


def test_a_rules_form_shows_it_as_it_stands(berta: Browser, office: Office) -> None:
    make_rule(office, expected="0 6 1 * *", grace_minutes=45)
    text = berta.get("/datacenter/rules/1").text
    assert 'value="0 6 1 * *"' in text
    assert 'value="45"' in text


def test_a_rule_is_changed_switched_and_deleted(berta: Browser, office: Office) -> None:
    make_rule(office)
    berta.get("/datacenter/rules/1")
    berta.post("/datacenter/rules/1", form(pattern="people*", expect="not"))
    assert (rule_row(office, 1).pattern, rule_row(office, 1).expected) == ("people*", "")
    berta.post("/datacenter/rules/1/off")
    assert rule_row(office, 1).state == "off"
    berta.post("/datacenter/rules/1/on")
    assert rule_row(office, 1).state == "on"
    berta.post("/datacenter/rules/1/delete")
    assert "No rules yet" in berta.get("/datacenter/rules").text


def test_an_alarm_is_on_the_list_and_among_the_messages(berta: Browser, office: Office) -> None:
    make_rule(office)
    drop(office, "users.csv", "colour\nred\n")
    look(office)
    assert "could not be processed and waits" in berta.get("/datacenter/rules").text
    assert 'href="/datacenter/rules/1"' in berta.get("/notifications").text
    assert berta.post("/notifications/1/read").location == "/datacenter/rules/1"


def test_who_imports_sees_all_rules_and_changes_his_own(app: Flask, office: Office) -> None:
    make_rule(office)
    open_office(office.runtime, Role.IMPORT_MANAGER, name="carl")
    carl = browser_of(app, "carl")
    assert "users*.csv" in carl.get("/datacenter/rules").text
    assert carl.get("/datacenter/rules/1").status_code == 403
    for action in ("", "/off", "/delete"):
        assert carl.post(f"/datacenter/rules/1{action}", form()).status_code == 403
    assert rule_row(office, 1).state == "on"


def test_who_only_looks_at_files_sees_no_rules(app: Flask, office: Office) -> None:
    open_office(office.runtime, Role.DATA_MANAGER, name="vera")
    vera = browser_of(app, "vera")
    assert vera.get("/datacenter/rules").status_code == 403
    assert "/datacenter/rules" not in vera.get("/datacenter").text


def test_an_administrator_changes_anybodys_rule_which_stays_that_persons(
    app: Flask, berta: Browser, office: Office
) -> None:
    open_office(office.runtime, Role.ADMIN, name="carl")
    make_rule(office)
    carl = browser_of(app, "carl")
    assert carl.post("/datacenter/rules/1", form(pattern="p*")).status_code == 303
    assert rule_row(office, 1).owner_id == office.actor.user_id


def test_the_shell_lists_the_rules(office: Office) -> None:
    runtime = office.runtime
    shell = Shell(
        runtime=runtime,
        settings=runtime.settings,
        kinds=KINDS,
        processors=processors_for(runtime),
        waker=office.asking().waker,
    )
    assert "There are no rules." in run(shell, "rules", "list").output
    make_rule(office, expected="0 8 * * *")
    assert "People (on): users*.csv → users create" in run(shell, "rules", "list").output
    [facts] = answer(shell, "rules", "list")
    assert (facts["expected"], facts["owner"]) == ("by 08:00 every day", "berta")
    shell.actor = open_office(runtime, Role.MEMBER, name="mia").actor
    assert isinstance(refusal(shell, "rules", "list"), ForbiddenError)


@pytest.mark.parametrize(
    ("pattern", "name", "fitting"),
    [
        ("users*.csv", "Users-1.CSV", True),
        ("users-?.csv", "users-12.csv", False),
        ("[ab].csv", "b.csv", True),
        ("users.csv", "usersXcsv", False),
        ("*" * 8, "x" * 10_000, True),
        ("*a*a*a*a*a*a*a*b", "a" * 2_000, False),
    ],
)
def test_a_pattern_fits_names_as_people_see_them(pattern: str, name: str, fitting: bool) -> None:
    assert fits(pattern, name) is fitting


@pytest.mark.parametrize(
    ("name", "taken"),
    [("x.csv", True), ("x.create.pending.csv", False), ("x.create.pending (2).csv", False)],
)
def test_pending_rows_are_no_matter_of_rules(name: str, taken: bool) -> None:
    assert is_for_rules(name) is taken
