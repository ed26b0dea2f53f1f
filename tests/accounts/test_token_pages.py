"""The pages of API tokens."""

import re
from collections.abc import Callable

from flask import Flask

from portal.accounts.models import User
from portal.accounts.permissions import Role
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.web.programs import Program, make_secret

MakeUser = Callable[..., User]
URL = "/accounts/me/tokens"


def signed_in(app: Flask, name: str = "anna") -> Browser:
    browser = Browser(app)
    assert browser.sign_in(name).status_code == 303
    return browser


def secret_on(page: str) -> str:
    found = re.search(r"<code[^>]*>(portal_[\w-]{43})</code>", page)
    assert found is not None
    return found[1]


def test_a_token_is_made_and_its_secret_shown_once(app: Flask, make_user: MakeUser) -> None:
    make_user("anna", Role.DATA_MANAGER)
    browser = signed_in(app)
    made = browser.post(URL, {"name": "nightly", "scopes": ["datacenter.view"], "days": "30"})
    secret = secret_on(made.text)
    assert Program(app, secret).get("/api/jobs").status_code == 200
    listed = browser.get(URL).text
    assert "nightly" in listed
    assert "datacenter.view" in listed
    assert secret not in listed


def test_the_form_offers_what_one_may_and_takes_nothing_else(
    app: Flask, make_user: MakeUser
) -> None:
    make_user("anna", Role.DATA_MANAGER)
    browser = signed_in(app)
    assert 'value="datacenter.edit"' in browser.get(URL).text
    assert 'value="users.manage"' not in browser.get(URL).text
    answer = browser.post(URL, {"name": "x", "scopes": ["users.manage"], "days": ""})
    assert answer.status_code == 422


def test_a_token_needs_a_name(app: Flask, make_user: MakeUser) -> None:
    make_user("anna")
    answer = signed_in(app).post(URL, {"name": " ", "days": "30"})
    assert answer.status_code == 422
    assert "A token needs a name" in answer.text


def test_ones_own_token_is_revoked_after_a_question(
    app: Flask, make_user: MakeUser, runtime: Runtime
) -> None:
    secret = make_secret(runtime, make_user("anna"))
    browser = signed_in(app)
    found = re.search(rf'action="({URL}/\d+/revoke)"', browser.get(URL).text)
    assert found is not None
    assert browser.post(found[1]).status_code == 303
    assert Program(app, secret).get("/api/jobs").status_code == 401
    assert "Revoked" in browser.get(URL).text


def test_an_admin_revokes_the_tokens_of_others(
    app: Flask, make_user: MakeUser, runtime: Runtime, admin: Browser
) -> None:
    anna = make_user("anna")
    secret = make_secret(runtime, anna)
    url = f"/accounts/{anna.id}/tokens"
    found = re.search(rf'action="({url}/\d+/revoke)"', admin.get(url).text)
    assert found is not None
    assert admin.post(found[1]).status_code == 303
    assert Program(app, secret).get("/api/jobs").status_code == 401


def test_a_token_is_revoked_below_its_own_user_only(
    app: Flask, make_user: MakeUser, runtime: Runtime, admin: Browser
) -> None:
    anna, mia = make_user("anna"), make_user("mia")
    make_secret(runtime, anna)
    page = admin.get(f"/accounts/{anna.id}/tokens").text
    found = re.search(r"/tokens/(\d+)/revoke", page)
    assert found is not None
    answer = admin.post(f"/accounts/{mia.id}/tokens/{found[1]}/revoke")
    assert answer.status_code == 404
