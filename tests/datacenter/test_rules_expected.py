"""Expected files: one that does not come is told once for each deadline."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.accounts.permissions import Role
from portal.datacenter.rules import service
from portal.datacenter.rules.expectations import (
    ByTime,
    cron_of,
    find_time,
    in_words,
    is_over,
    next_due,
)
from portal.errors import InvalidError
from portal.runtime import Runtime
from portal.settings import Settings
from tests.datacenter.processing import Office, open_office
from tests.datacenter.watching import USERS, changing, look, look_after, make_rule, rule_row, told

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)  # 07:00 in Berlin
EIGHT = "0 8 * * 1,2,3,4,5"


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings(disk_reserve_mb=0, timezone="Europe/Berlin")


@pytest.fixture
def office(runtime: Runtime) -> Office:
    """An office at seven on a Monday morning."""
    return open_office(replace(runtime, clock=lambda: MONDAY), Role.ADMIN)


def later(office: Office, **time: float) -> Office:
    now = MONDAY + timedelta(**time)
    return replace(office, runtime=replace(office.runtime, clock=lambda: now))


def come(office: Office) -> None:
    """A file is uploaded and taken, at the office's own time."""
    office.put("users.csv", USERS)
    assert look(office) == 1


def test_a_missing_file_is_told_once_after_its_grace(office: Office) -> None:
    rule_id = make_rule(office, expected=EIGHT, grace_minutes=30)
    assert look_after(office, minutes=89) == 0
    assert [look_after(office, minutes=90), look_after(office, hours=5)] == [1, 0]
    [(state, text)] = told(office)
    assert (state, text) == (
        "alarm",
        "Rule “People”: No file like users*.csv came by 2026-03-02 08:00 CET.",
    )
    assert rule_row(office, rule_id).alarm_at == MONDAY + timedelta(minutes=90)


def test_every_deadline_without_a_file_is_told(office: Office) -> None:
    make_rule(office, expected=EIGHT)
    assert [look_after(office, days=day, hours=1) for day in range(5)] == [1] * 5


def test_nothing_is_told_of_a_file_that_came(office: Office) -> None:
    make_rule(office, expected=EIGHT, grace_minutes=30)
    come(later(office, minutes=80))
    assert look_after(office, minutes=90) == 0
    assert told(office) == []


def test_a_file_that_came_within_the_grace_is_none_of_the_next_day(office: Office) -> None:
    make_rule(office, expected=EIGHT, grace_minutes=30)
    come(later(office, minutes=80))
    look_after(office, minutes=90)
    assert look_after(office, days=1, minutes=90) == 1


def test_deadlines_missed_while_the_portal_was_down_are_told_once(office: Office) -> None:
    rule_id = make_rule(office, expected=EIGHT)
    assert [look_after(office, days=3), look_after(office, days=3)] == [1, 0]
    assert rule_row(office, rule_id).due_at == MONDAY + timedelta(days=3, hours=1)


def test_nobody_is_expected_at_the_weekend(office: Office) -> None:
    rule_id = make_rule(office, expected=EIGHT)
    look_after(office, days=4, hours=1)
    assert rule_row(office, rule_id).due_at == MONDAY + timedelta(days=7, hours=1)


def test_a_rule_that_is_off_expects_nothing(office: Office) -> None:
    rule_id = make_rule(office, expected=EIGHT)
    with office.runtime.sessions.begin() as session:
        service.switch_rule(session, rule_id=rule_id, on=False, changing=changing(office))
    assert look_after(office, days=1) == 0


def test_a_rule_switched_on_again_expects_from_then_on(office: Office) -> None:
    rule_id = make_rule(office, expected=EIGHT)
    for hours, on in ((0, False), (48, True)):
        with office.runtime.sessions.begin() as session:
            now = changing(later(office, hours=hours))
            service.switch_rule(session, rule_id=rule_id, on=on, changing=now)
    assert rule_row(office, rule_id).due_at == MONDAY + timedelta(days=2, hours=1)


def test_a_time_of_day_follows_the_change_of_the_clock() -> None:
    friday = datetime(2026, 3, 27, 7, 0, tzinfo=UTC)
    due = next_due(EIGHT, due_at=friday, grace=timedelta(), now=friday, zone=BERLIN)
    assert due == datetime(2026, 3, 30, 6, 0, tzinfo=UTC)


def test_a_deadline_is_over_when_its_grace_is() -> None:
    grace = timedelta(minutes=30)
    assert is_over(MONDAY, grace, now=MONDAY + grace)
    assert not is_over(MONDAY, grace, now=MONDAY + timedelta(minutes=29))


@pytest.mark.parametrize(
    ("time", "days", "cron", "words"),
    [
        ("08:00", (1, 2, 3, 4, 5), "0 8 * * 1,2,3,4,5", "by 08:00 on workdays"),
        ("7:05", (1, 2, 3, 4, 5, 6, 7), "5 7 * * *", "by 07:05 every day"),
        ("23:59", (7, 1), "59 23 * * 1,7", "by 23:59 on Mon, Sun"),
    ],
)
def test_a_time_on_days_is_a_cron_expression_and_back(
    time: str, days: tuple[int, ...], cron: str, words: str
) -> None:
    assert cron_of(ByTime(time=time, days=days)) == cron
    found = find_time(cron)
    assert found is not None
    assert cron_of(found) == cron
    assert in_words(cron) == words


@pytest.mark.parametrize(("time", "days"), [("24:00", (1,)), ("8", (1,)), ("", (1,)), ("8:00", ())])
def test_what_is_no_time_on_a_day_is_refused(time: str, days: tuple[int, ...]) -> None:
    with pytest.raises(InvalidError):
        cron_of(ByTime(time=time, days=days))


def test_other_expressions_are_told_in_words() -> None:
    assert find_time("*/5 * * * *") is None
    assert in_words("0 8 1 * *") == "At 08:00 on the first day of every month"
