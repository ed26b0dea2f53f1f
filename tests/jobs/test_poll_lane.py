"""Polls take a short way; whom it answers, and with what, is the same as on the long one."""

import re

import pytest
from sqlalchemy import delete, update

from portal.accounts.models import User, UserRole
from portal.accounts.permissions import Role


def poll(browser, job_id, **headers):
    return browser.htmx("GET", f"/jobs/{job_id}/status", **headers)


def long_way(browser, job_id):
    """Without htmx's header the poll takes the normal way."""
    return browser.client.get(f"/jobs/{job_id}/status", environ_base={"REMOTE_ADDR": "192.0.2.1"})


def without_token(text):
    return re.sub(r'(name="csrf_token"[^>]*value=")[^"]+', r"\1", text)


def test_both_ways_give_the_same_answer(browse, anna, jobs):
    browser, job_id = browse(anna), jobs.running(actor=anna)
    short, long = poll(browser, job_id), long_way(browser, job_id)
    assert short.headers["ETag"] == long.headers["ETag"]
    assert without_token(short.text) == without_token(long.text)
    same = ("Content-Security-Policy", "Cache-Control", "X-Content-Type-Options", "Content-Type")
    assert [short.headers[name] for name in same] == [long.headers[name] for name in same]


def test_a_button_that_came_the_short_way_works(browse, anna, jobs):
    browser, job_id = browse(anna), jobs.running(actor=anna)
    text = poll(browser, job_id).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text)[1]
    answer = browser.client.post(
        f"/jobs/{job_id}/cancel",
        data={"csrf_token": token},
        environ_base={"REMOTE_ADDR": "192.0.2.1", "HTTP_USER_AGENT": "Otter/1.0"},
    )
    assert answer.status_code == 303


def test_a_disabled_user_s_next_poll_is_refused(browse, anna, jobs, runtime):
    browser, job_id = browse(anna), jobs.running(actor=anna)
    assert poll(browser, job_id).status_code == 200
    with runtime.sessions.begin() as session:
        session.execute(update(User).where(User.id == anna.user_id).values(enabled=False))
    assert poll(browser, job_id).status_code == 401


def test_a_right_that_is_taken_away_counts_at_once(browse, boss, anna, jobs, runtime):
    browser, job_id = browse(boss), jobs.running(actor=anna)
    assert poll(browser, job_id).status_code == 200
    with runtime.sessions.begin() as session:
        session.execute(delete(UserRole).where(UserRole.user_id == boss.user_id))
    assert poll(browser, job_id).status_code == 404


@pytest.mark.parametrize("cookie", ["", "rubbish", "a.b.c"])
def test_a_cookie_that_is_not_ours_signs_nobody_in(browse, anna, jobs, cookie):
    browser, job_id = browse(anna), jobs.running(actor=anna)
    browser.copy_cookie_from(cookie)
    assert poll(browser, job_id).status_code == 401


def test_nobody_s_form_token_is_given_to_another(browse, boss, anna, jobs):
    first, second = browse(anna), browse(boss)
    job_id = jobs.running(actor=anna)
    tokens = [
        re.search(r'name="csrf_token"[^>]*value="([^"]+)"', poll(browser, job_id).text)[1]
        for browser in (first, second)
    ]
    answer = second.client.post(
        f"/jobs/{job_id}/cancel",
        data={"csrf_token": tokens[0]},
        environ_base={"REMOTE_ADDR": "192.0.2.1", "HTTP_USER_AGENT": "Otter/1.0"},
    )
    assert tokens[0] != tokens[1]
    assert answer.status_code == 400


def test_what_managers_may_press_is_not_shown_to_the_first_user(browse, make_actor, jobs):
    first, boss = make_actor("first"), make_actor("boss", Role.ADMIN)
    assert first.user_id == 1
    job_id = jobs.running(actor=first)
    assert f"/jobs/{job_id}/cancel" in poll(browse(boss), job_id).text
    assert f"/jobs/{job_id}/cancel" not in poll(browse(first), job_id).text
