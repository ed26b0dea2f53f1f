"""Schedules: when they ask for a job, as whom, and when they stop."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, func, select, update

from portal.accounts.models import User, UserRole
from portal.accounts.permissions import Role
from portal.errors import ForbiddenError, InvalidError
from portal.jobs import due, schedules
from portal.jobs.cron import check_cron, next_time, next_times
from portal.jobs.due import run_due
from portal.jobs.models import Job, Notification, Schedule
from tests.jobs.kinds import KINDS

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def make_schedule(runtime, clock, anna):
    clock.now = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)

    def make(cron="0 * * * *", owner=anna):
        with runtime.sessions.begin() as session:
            offer = schedules.offers(session, kinds=KINDS, actor=owner)[0]
            return schedules.create(
                session,
                actor=owner,
                offer=offer,
                cron=cron,
                zone=ZoneInfo("UTC"),
                now=clock(),
            ).id

    return make


def job_count(runtime):
    with runtime.reads() as session:
        return session.scalar(select(func.count(Job.number)))


def schedule_row(runtime, schedule_id):
    with runtime.reads() as session:
        return session.get(Schedule, schedule_id)


def test_a_schedule_asks_for_its_job_when_its_time_comes(make_schedule, engine, runtime, clock):
    schedule_id = make_schedule()
    assert run_due(engine) == 0
    clock.move(minutes=30)
    assert run_due(engine) == 1
    row = schedule_row(runtime, schedule_id)
    assert row.last_at == datetime(2026, 3, 2, 13, tzinfo=UTC)
    assert row.next_at == datetime(2026, 3, 2, 14, tzinfo=UTC)
    assert row.last_job_id is not None


def test_one_due_time_is_used_once_whoever_tries(make_schedule, engine, runtime, clock):
    schedule_id = make_schedule()
    clock.move(minutes=30)
    due_at = schedule_row(runtime, schedule_id).next_at
    taken = [due._run_one(engine, schedule_id, due_at=due_at, now=clock()) for _ in range(3)]
    assert taken == [True, False, False]


def test_times_missed_while_the_portal_was_down_run_once(make_schedule, engine, runtime, clock):
    make_schedule()
    clock.move(days=3)
    assert run_due(engine) == 1
    assert run_due(engine) == 0
    assert job_count(runtime) == 1


def test_the_job_runs_as_the_schedules_owner(make_schedule, engine, runtime, clock, anna):
    make_schedule()
    clock.move(hours=1)
    run_due(engine)
    with runtime.reads() as session:
        assert session.scalar(select(Job.requester_id)) == anna.user_id


def test_a_schedule_whose_owner_is_shut_out_stops_and_says_so(
    make_schedule, engine, runtime, clock, anna
):
    schedule_id = make_schedule()
    with runtime.sessions.begin() as session:
        session.execute(update(User).where(User.id == anna.user_id).values(enabled=False))
    clock.move(hours=1)
    assert run_due(engine) == 0
    row = schedule_row(runtime, schedule_id)
    assert not row.enabled
    assert row.stopped_reason == due.NO_OWNER
    assert job_count(runtime) == 0


def test_a_schedule_without_right_cannot_be_made(make_schedule, make_actor, runtime, clock, anna):
    make_schedule()
    member = make_actor("mia")
    with runtime.sessions.begin() as session:
        assert schedules.offers(session, kinds=KINDS, actor=member) == []
        offer = schedules.offers(session, kinds=KINDS, actor=anna)[0]
        with pytest.raises(ForbiddenError):
            schedules.create(
                session, actor=member, offer=offer, cron="@daily", zone=BERLIN, now=clock()
            )


def test_a_clock_that_goes_back_runs_a_fixed_hour_once():
    start = datetime(2026, 10, 25, 0, 0, tzinfo=BERLIN)
    first, second = next_times("30 2 * * *", after=start, zone=BERLIN, times=2)
    assert (first.date().day, second.date().day) == (25, 26)


def test_a_fixed_hour_that_the_clock_skips_runs_right_after_the_change():
    start = datetime(2026, 3, 29, 0, 0, tzinfo=BERLIN)
    first = next_time("30 2 * * *", after=start, zone=BERLIN)
    assert first.astimezone(UTC) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_an_expression_is_told_in_words():
    assert check_cron("0 3 * * 1") == "At 03:00 on Monday"


@pytest.mark.parametrize("wrong", ["", "nonsense", "61 * * * *", "* * * *", "0 0 30 2 *"])
def test_what_is_no_cron_expression_is_refused(wrong):
    with pytest.raises(InvalidError):
        check_cron(wrong)


def test_an_admin_makes_and_changes_a_schedule_in_the_browser(browse, boss, runtime, jobs):
    browser = browse(boss)
    browser.get("/schedules")
    form = {"offer": '["test.nothing", {"thing": "one"}]', "cron": "0 3 * * *"}
    assert browser.post("/schedules", form).status_code == 303
    text = browser.get("/schedules").text
    assert "At 03:00" in text
    schedule_id = 1
    assert browser.post(f"/schedules/{schedule_id}/pause").status_code == 303
    assert "Paused by boss" in browser.get("/schedules").text
    assert browser.post(f"/schedules/{schedule_id}/resume").status_code == 303
    assert "/jobs/" in browser.post(f"/schedules/{schedule_id}/run").headers["Location"]
    assert browser.post(f"/schedules/{schedule_id}/remove").status_code == 303
    assert "No schedules yet" in browser.get("/schedules").text


def test_a_wrong_expression_is_told_beside_its_field(browse, boss):
    browser = browse(boss)
    browser.get("/schedules")
    form = {"offer": '["test.nothing", {"thing": "one"}]', "cron": "nonsense"}
    answer = browser.post("/schedules", form)
    assert answer.status_code == 422
    assert "no cron expression" in answer.text


def test_a_schedule_that_stops_is_told_to_its_owner(
    make_schedule, engine, runtime, clock, anna, browse
):
    make_schedule()
    with runtime.sessions.begin() as session:
        session.execute(delete(UserRole).where(UserRole.user_id == anna.user_id))
    clock.move(minutes=45)
    run_due(engine)
    with runtime.reads() as session:
        told = session.scalars(select(Notification)).one()
    assert told.user_id == anna.user_id
    assert due.NO_RIGHT in told.message


def test_a_schedule_with_a_fault_keeps_no_other_from_running(make_schedule, engine, runtime, clock):
    make_schedule()
    make_schedule()
    with runtime.sessions.begin() as session:
        session.execute(update(Schedule).where(Schedule.id == 1).values(args={"no": "thing"}))
    clock.move(hours=1)
    assert run_due(engine) == 1
    assert schedule_row(runtime, 1).enabled


def test_an_owner_without_the_managers_right_pauses_his_own(browse, anna, make_schedule, clock):
    schedule_id = make_schedule()
    clock.now = datetime.now(UTC)
    browser = browse(anna)
    text = browser.get("/schedules").text
    assert "Test nothing: one" in text
    assert "New schedule" not in text
    assert browser.post(f"/schedules/{schedule_id}/pause").status_code == 303
    assert "Paused by anna" in browser.get("/schedules").text


def test_an_owner_without_the_managers_right_makes_no_new_one(browse, anna):
    form = {"offer": '["test.nothing", {"thing": "one"}]', "cron": "0 3 * * *"}
    assert browse(anna).post("/schedules", form).status_code == 403


def test_the_schedules_of_others_are_for_who_manages_them(browse, boss, make_actor, make_schedule):
    schedule_id = make_schedule()
    mia = browse(make_actor("mia", Role.OPERATOR))
    assert "Test nothing: one" not in mia.get("/schedules").text
    assert mia.post(f"/schedules/{schedule_id}/pause").status_code == 404
    assert browse(boss).post(f"/schedules/{schedule_id}/pause").status_code == 303
