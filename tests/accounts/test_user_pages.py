"""The administration of users, as an admin's browser sees it."""

import re
from collections.abc import Callable

from flask import Flask

from portal.accounts import service
from portal.accounts.models import User
from portal.accounts.permissions import Role
from portal.runtime import Runtime
from tests.browser_like import Browser

MakeUser = Callable[..., User]
SHOWN = re.compile(r"<code[^>]*>((?:[a-z2-9]{5}-){3}[a-z2-9]{5})</code>")


def shown_password(page: str) -> str:
    found = SHOWN.search(page)
    assert found is not None
    return found.group(1)


def test_a_user_is_added_and_signs_in_with_the_password_shown_once(
    app: Flask, admin: Browser
) -> None:
    admin.get("/accounts/new")
    data = {"name": "anna", "display_name": "Anna K", "roles": ["member", "operator"]}
    password = shown_password(admin.post("/accounts/new", data).text)
    anna = Browser(app)
    assert anna.sign_in("anna", password).status_code == 303
    assert anna.get("/").location == "/accounts/password"
    assert password not in admin.get("/accounts").text


def test_the_list_shows_names_roles_and_states(admin: Browser, make_user: MakeUser) -> None:
    make_user("anna", Role.DATA_MANAGER)
    page = admin.get("/accounts").text
    assert "anna" in page
    assert "data manager" in page
    assert "Enabled" in page


def test_the_list_is_filtered(admin: Browser, make_user: MakeUser) -> None:
    make_user("anna")
    make_user("bert")
    page = admin.get("/accounts?q=ber").text
    assert ">bert</a>" in page
    assert ">anna</a>" not in page


def test_a_taken_name_is_refused_beside_the_field(admin: Browser, make_user: MakeUser) -> None:
    make_user("anna")
    admin.get("/accounts/new")
    response = admin.post("/accounts/new", {"name": "ANNA"})
    assert response.status_code == 422
    assert "There is already a user" in response.text
    assert 'value="ANNA"' in response.text


def test_a_bad_name_and_mail_are_both_named(admin: Browser) -> None:
    admin.get("/accounts/new")
    response = admin.post("/accounts/new", {"name": "system", "email": "nowhere"})
    assert response.status_code == 422
    assert "means Portal itself" in response.text
    assert "no e-mail address" in response.text


def test_an_unknown_role_is_refused(admin: Browser, make_user: MakeUser) -> None:
    anna = make_user("anna")
    admin.get(f"/accounts/{anna.id}")
    assert admin.post(f"/accounts/{anna.id}/roles", {"roles": ["root"]}).status_code == 422


def test_roles_are_saved(admin: Browser, make_user: MakeUser, runtime: Runtime) -> None:
    anna = make_user("anna", Role.MEMBER)
    admin.get(f"/accounts/{anna.id}")
    admin.post(f"/accounts/{anna.id}/roles", {"roles": ["operator"]})
    with runtime.reads() as session:
        assert [row.role for row in service.get_user(session, anna.id).roles] == ["operator"]


def test_the_last_admin_stays_and_the_page_says_why(admin: Browser, runtime: Runtime) -> None:
    with runtime.reads() as session:
        boss = service.get_user_named(session, "boss")
    admin.get(f"/accounts/{boss.id}")
    response = admin.post(f"/accounts/{boss.id}/disable")
    assert response.status_code == 409
    assert "is the last admin" in response.text


def test_a_user_is_disabled_and_enabled(app: Flask, admin: Browser, make_user: MakeUser) -> None:
    anna, browser = make_user("anna"), Browser(app)
    browser.sign_in("anna")
    admin.get(f"/accounts/{anna.id}")
    admin.post(f"/accounts/{anna.id}/disable")
    assert browser.get("/accounts/me").status_code == 303
    assert browser.sign_in("anna").status_code == 422
    admin.get(f"/accounts/{anna.id}")
    admin.post(f"/accounts/{anna.id}/enable")
    assert browser.sign_in("anna").status_code == 303


def test_a_forgotten_password_is_replaced_by_a_one_time_one(
    app: Flask, admin: Browser, make_user: MakeUser
) -> None:
    anna = make_user("anna")
    admin.get(f"/accounts/{anna.id}")
    page = admin.post(f"/accounts/{anna.id}/one-time-password").text
    assert Browser(app).sign_in("anna").status_code == 422
    assert Browser(app).sign_in("anna", shown_password(page)).status_code == 303


def test_an_unknown_user_is_not_there(admin: Browser) -> None:
    admin.get("/accounts")
    assert admin.get("/accounts/4711").status_code == 404
    assert admin.post("/accounts/4711/disable").status_code == 404
    assert admin.post("/accounts/4711/one-time-password").status_code == 404


def test_the_audit_log_names_the_admin_and_the_address(admin: Browser, make_user: MakeUser) -> None:
    anna = make_user("anna")
    admin.get(f"/accounts/{anna.id}")
    admin.post(f"/accounts/{anna.id}/disable")
    page = admin.get(f"/audit?object=user:{anna.id}&actor=boss").text
    assert "user.disable" in page
    assert "192.0.2.1" in page
