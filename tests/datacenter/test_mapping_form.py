"""The mapping form: rules of columns asked for, tried on the first rows, told where wrong, kept."""

import re

import pytest
from flask import Flask

from portal.accounts.permissions import Role
from portal.rows.processors import Mode
from portal.rows.profiles import get_profile
from portal.rows.treatment import Treatment
from portal.runtime import Runtime
from portal.tabular.fields import Empty
from portal.tabular.rules import Case, Rules
from tests.browser_like import Browser
from tests.datacenter.processing import Office, open_office
from tests.datacenter.test_pages import signed_in

LOOK = "/datacenter/look/users.csv"
FILE = "/datacenter/files/users.csv"
FORM = {"processor": "users", "mapped_for": "users", "mode": "create", "column-0": "name"}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def office(runtime: Runtime) -> Office:
    office = open_office(runtime, Role.ADMIN)
    office.put("users.csv", "name\nANNA\nBob\n")
    return office


@pytest.fixture
def boss(app: Flask, office: Office) -> Browser:
    browser = signed_in(app, office)
    browser.get(FILE)
    return browser


def outcomes(text: str, number: int = 0) -> str:
    """What the form says of the first cells of a column, as one line."""
    found = re.search(rf'id="outcomes-{number}".*?</ul>', text, re.DOTALL)
    assert found
    return " ".join(re.sub("<[^>]+>", " ", found[0].partition(">")[2]).split())


def errors(text: str) -> dict[str, str]:
    found = re.findall(r'class="field-error" id="([^"]+)">([^<]+)</p>', text)
    return dict(found)


def test_rules_are_tried_on_the_first_rows_and_change_nothing(
    boss: Browser, office: Office
) -> None:
    asked = FORM | {"rule-case-0": "lower", "rule-values-0": "Bob = robert"}
    part = boss.post(LOOK, asked, headers=HTMX)
    assert (part.status_code, "<html" in part.text) == (200, False)
    assert outcomes(part.text) == "ANNA → anna Bob → robert"
    assert "letters lower, 1 value named" in part.text
    assert office.lying()[""] == ["users.csv"]


def test_a_list_is_shown_as_it_may_be_typed(boss: Browser, office: Office) -> None:
    office.put("roles.csv", "name,roles\nanna,member\nbob,member; operator\n")
    asked = FORM | {"column-1": "roles"}
    part = boss.post("/datacenter/look/roles.csv", asked, headers=HTMX)
    assert outcomes(part.text, 1) == "member member; operator → member;operator"


def test_without_scripts_the_whole_page_comes_with_what_was_typed(boss: Browser) -> None:
    text = boss.post(LOOK, FORM | {"rule-values-0": "Bob = robert", "save_as": "Mine"}).text
    assert "<html" in text
    assert outcomes(text) == "ANNA Bob → robert"
    assert ">\nBob = robert</textarea>" in text
    assert 'value="Mine"' in text


def test_what_is_wrong_stands_below_its_field_and_nothing_is_processed(boss: Browser) -> None:
    asked = FORM | {"rule-values-0": "Bob", "rule-date-0": "DD.MM.YYYY", "constant-email": "none"}
    told = errors(boss.post(LOOK, asked, headers=HTMX).text)
    assert told["rule-error-values-0"] == "Line 1: write “text = value”."
    assert told["rule-error-0"].endswith("is no date: it cannot have a date format.")
    assert any(text.startswith("The value for all rows of") for text in told.values())
    assert boss.post(FILE, asked | {"action": "process"}).status_code == 422


def test_rules_are_closed_until_something_is_said(boss: Browser) -> None:
    opened = '<details class="rules" id="rules-0" open>'
    assert opened not in boss.post(LOOK, FORM).text
    assert opened in boss.post(LOOK, FORM | {"rule-empty-0": "clear"}).text


def test_what_the_form_asks_for_is_saved_processed_and_shown_again(
    boss: Browser, office: Office
) -> None:
    asked = FORM | {"rule-case-0": "lower", "rule-empty-0": "keep", "constant-roles": "member"}
    answer = boss.post(FILE, asked | {"action": "process", "save_as": "Small letters"})
    batch = office.finish(answer.location.rpartition("/")[2])
    wanted = Treatment(
        rules={"name": Rules(case=Case.LOWER)},
        constants={"roles": "member"},
        empty={"name": Empty.KEEP},
    )
    assert (batch.order.treatment, batch.counts.created) == (wanted, 2)
    with office.runtime.reads() as session:
        assert get_profile(session, name="Small letters").treatment == wanted
    office.put("more.csv", "name\nCLEO\n")
    text = boss.get("/datacenter/files/more.csv?processor=users&mode=create").text
    assert "(Small letters, version 1)" in text
    assert outcomes(text) == "CLEO → cleo"


def test_a_saved_mapping_is_saved_again_with_its_rules(boss: Browser, office: Office) -> None:
    asked = FORM | {"rule-case-0": "lower", "rule-values-0": '"a = b" = c'}
    boss.post(FILE, asked | {"action": "plan", "save_as": "Small letters"})
    form = boss.get(f"{FILE}?processor=users&mode=create").text
    typed = re.search(r'name="rule-values-0"[^>]*>\n([^<]*)</textarea>', form)
    assert typed
    again = asked | {"rule-values-0": typed[1].replace("&#34;", '"')}
    boss.post(FILE, again | {"action": "plan", "save_as": "Small letters"})
    with office.runtime.reads() as session:
        profile = get_profile(session, name="Small letters")
    assert (profile.version, profile.mode) == (1, Mode.CREATE)
    assert profile.treatment.rules["name"].values == {"a = b": "c"}


def test_rules_of_another_processor_do_not_count(boss: Browser) -> None:
    text = boss.post(LOOK, FORM | {"mapped_for": "projects", "rule-case-0": "lower"}).text
    assert outcomes(text) == "ANNA Bob"


@pytest.mark.parametrize("key", ["[", '{"a": 1}', "[1]", '["nothing"]', "[" * 5000])
def test_a_key_that_is_none_does_not_count(boss: Browser, key: str) -> None:
    assert boss.post(LOOK, FORM | {"key": key}).status_code == 200
