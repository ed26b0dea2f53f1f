"""Rules take what arrives: once, as their owner, by the first that fits; and say what is wrong."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from portal.accounts.models import User, UserRole
from portal.accounts.permissions import Role
from portal.accounts.service import find_user
from portal.assembly import processors_for
from portal.audit.models import AuditEntry
from portal.datacenter.arrivals import note_arrivals
from portal.datacenter.rules import service
from portal.datacenter.rules.watching import take_arrivals
from portal.datacenter.rules.wording import NO_OWNER, NO_RIGHT
from portal.errors import ForbiddenError, InvalidError
from portal.jobs.models import JobState, Outgoing
from portal.rows.batch import BatchOrder
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Mode, Processors
from portal.rows.profiles import forget_profile, save_profile
from portal.rows.service import create_batch
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tabular.formats import Format
from tests.datacenter.processing import Office, open_office
from tests.datacenter.watching import (
    USERS,
    changing,
    drop,
    jobs,
    look,
    make_rule,
    rule_row,
    told,
    wish,
    work,
)


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


def is_user(office: Office, name: str) -> bool:
    with office.runtime.reads() as session:
        return find_user(session, name) is not None


def switch(office: Office, rule_id: int, *, on: bool) -> None:
    with office.runtime.sessions.begin() as session:
        service.switch_rule(session, rule_id=rule_id, on=on, changing=changing(office))


def keep_mapping(office: Office, *, header: list[str], columns: list[str | None]) -> None:
    with office.runtime.sessions.begin() as session:
        save_profile(
            session,
            name="Wide",
            header=header,
            processor="users",
            mode=Mode.CREATE,
            columns=columns,
            actor=office.actor,
            now=office.runtime.clock(),
        )


def begin_and_pause(office: Office, name: str) -> None:
    """A batch of a file that did some rows and waits for whoever paused it."""
    path = office.center.storage / name
    order = BatchOrder(
        kind="datacenter",
        processor="users",
        mode=Mode.CREATE,
        file=path,
        file_name=name,
        sha256="0" * 64,
        size=path.stat().st_size,
        format=Format(kind="csv"),
        columns=("name", "display_name"),
        owner=name,
    )
    now = office.runtime.clock()
    with office.runtime.sessions.begin() as session:
        batch = create_batch(session, order=order, actor=office.actor, now=now)
        table = PORTAL_LEDGER.batch
        session.execute(update(table).where(table.c.id == batch.id).values(state="paused"))


def test_a_file_copied_into_the_folder_ends_processed(office: Office) -> None:
    rule_id = make_rule(office)
    drop(office, "users-monday.csv")
    assert look(office) == 1
    work(office)
    assert is_user(office, "anna")
    assert office.lying()[""] == []
    assert "users-monday.csv" in office.lying()["finished"]
    rule, [job] = rule_row(office, rule_id), jobs(office)
    assert (rule.last_file, rule.last_job_id) == ("users-monday.csv", job.id)
    assert job.requester_id == office.actor.user_id


def test_a_file_is_asked_for_once_however_often_one_looks(office: Office) -> None:
    make_rule(office)
    drop(office, "users.csv")
    assert [look(office) for _ in range(3)] == [1, 0, 0]
    assert len(jobs(office)) == 1


def test_who_may_not_change_users_does_not_do_it_through_an_admins_rule(office: Office) -> None:
    rule_id = make_rule(office)
    clerk = open_office(office.runtime, Role.DATA_MANAGER, name="clerk")
    clerk.put("users.csv", "name,roles\nmallory,admin\n")
    look(office)
    work(office)
    assert jobs(office) == []
    assert not is_user(office, "mallory")
    assert "users.csv" in office.lying()[""]
    assert "Whoever uploaded it may not process Users" in rule_row(office, rule_id).alarm


def test_who_may_not_change_a_project_does_not_do_it_through_an_admins_rule(
    office: Office,
) -> None:
    make_rule(office, processor="projects")
    clerk = open_office(office.runtime, Role.IMPORT_MANAGER, name="clerk")
    clerk.put("users.csv", "id,title\nred,Red\n")
    look(office)
    assert jobs(office) == []


def test_what_its_owner_uploads_a_rule_takes(office: Office) -> None:
    make_rule(office)
    office.put("users.csv", USERS)
    assert look(office) == 1


def test_the_same_file_coming_again_after_it_was_processed_is_taken_again(office: Office) -> None:
    make_rule(office)
    for _ in range(2):
        path = drop(office, "users.csv")
        os.utime(path, (1_700_000_000, 1_700_000_000))
        assert look(office) == 1
        work(office)
    assert [job.state for job in jobs(office)] == [JobState.SUCCEEDED] * 2


def test_a_file_that_no_rule_fits_waits_for_a_person(office: Office) -> None:
    make_rule(office)
    drop(office, "people.csv")
    assert look(office) == 0
    assert office.lying()[""] == ["people.csv"]


@pytest.mark.parametrize(
    "name", ["users.create.pending.csv", "USERS.create.PENDING.CSV", "users.create.pending (1).csv"]
)
def test_failed_rows_are_never_taken(office: Office, name: str) -> None:
    make_rule(office, pattern="*")
    drop(office, name)
    assert look(office) == 0


def test_the_first_rule_that_fits_takes_the_file(office: Office) -> None:
    make_rule(office, name="All", pattern="*.csv", place=20, mode=Mode.UPDATE)
    make_rule(office, name="Users", pattern="users*", place=10)
    drop(office, "Users.csv")
    look(office)
    assert [job.args["mode"] for job in jobs(office)] == ["create"]


def test_a_rule_that_is_off_takes_nothing(office: Office) -> None:
    rule_id = make_rule(office)
    switch(office, rule_id, on=False)
    drop(office, "users.csv")
    assert look(office) == 0
    switch(office, rule_id, on=True)
    assert look(office) == 1


def test_a_file_that_somebody_works_on_is_left_alone(office: Office) -> None:
    office.put("users.csv", "name\nanna\n")
    office.ask(office.order("users.csv", "users"))
    make_rule(office)
    assert look(office) == 0


def test_the_rest_of_a_paused_batch_is_left_to_who_paused_it(office: Office) -> None:
    office.put("users.csv", USERS)
    begin_and_pause(office, "users.csv")
    make_rule(office)
    assert look(office) == 0
    assert office.lying()[""] == ["users.csv"]


def test_a_file_with_a_wrong_header_waits_and_its_owner_is_told_once(office: Office) -> None:
    make_rule(office)
    drop(office, "users.csv", "colour,size\nred,1\n")
    assert [look(office) for _ in range(3)] == [0, 0, 0]
    [(state, text)] = told(office)
    assert state == "alarm"
    assert "users.csv could not be processed and waits. Need at least columns" in text
    assert jobs(office) == []


def test_a_changed_file_is_tried_again(office: Office) -> None:
    make_rule(office)
    drop(office, "users.csv", "colour\nred\n")
    look(office)
    drop(office, "users.csv")
    assert look(office) == 1


def test_a_changed_rule_tries_what_it_could_not_take(office: Office) -> None:
    rule_id = make_rule(office)
    header = ["colour"]
    drop(office, "users.csv", "colour\nred\n")
    look(office)
    keep_mapping(office, header=header, columns=["name"])
    with office.runtime.sessions.begin() as session:
        wanted = wish(profile="Wide")
        service.change_rule(session, rule_id=rule_id, wish=wanted, changing=changing(office))
    assert look(office) == 1
    work(office)
    assert is_user(office, "red")
    assert rule_row(office, rule_id).alarm == ""


def test_a_saved_mapping_is_for_its_header_only(office: Office) -> None:
    keep_mapping(office, header=["colour", "name"], columns=[None, "name"])
    make_rule(office, profile="Wide")
    drop(office, "users.csv")
    assert look(office) == 0
    assert "not those of the saved mapping 'Wide'" in told(office)[0][1]


def test_a_rule_whose_mapping_is_gone_stops(office: Office) -> None:
    keep_mapping(office, header=["name"], columns=["name"])
    rule_id = make_rule(office, profile="Wide")
    with office.runtime.sessions.begin() as session:
        forget_profile(session, name="Wide")
    drop(office, "users.csv")
    assert look(office) == 0
    assert rule_row(office, rule_id).state == "stopped"


def test_a_rule_stops_and_says_so_when_its_owner_lost_his_right(office: Office) -> None:
    rule_id = make_rule(office)
    with office.runtime.sessions.begin() as session:
        session.execute(delete(UserRole).where(UserRole.user_id == office.actor.user_id))
    drop(office, "users.csv")
    assert [look(office), look(office)] == [0, 0]
    assert rule_row(office, rule_id).stopped_reason == NO_RIGHT
    assert told(office) == [("stopped", f"Rule “People”: It stopped. {NO_RIGHT}")]
    assert jobs(office) == []


def test_a_rule_of_a_disabled_account_stops(office: Office) -> None:
    rule_id = make_rule(office)
    with office.runtime.sessions.begin() as session:
        session.execute(update(User).where(User.id == office.actor.user_id).values(enabled=False))
    drop(office, "users.csv")
    look(office)
    assert rule_row(office, rule_id).stopped_reason == NO_OWNER


def test_a_stopped_rule_keeps_its_files_from_the_next(office: Office) -> None:
    clerk = open_office(office.runtime, Role.ADMIN, name="carl")
    make_rule(clerk, name="First", place=1)
    make_rule(office, name="Second", pattern="*", place=2, mode=Mode.REMOVE)
    with office.runtime.sessions.begin() as session:
        session.execute(delete(UserRole).where(UserRole.user_id == clerk.actor.user_id))
    drop(office, "users.csv")
    assert [look(office), look(office)] == [0, 0]


def test_a_stopped_rule_goes_on_when_it_is_switched_on(office: Office) -> None:
    rule_id = make_rule(office)
    with office.runtime.sessions.begin() as session:
        session.execute(delete(UserRole).where(UserRole.user_id == office.actor.user_id))
    drop(office, "users.csv")
    look(office)
    with office.runtime.sessions.begin() as session:
        session.add(UserRole(user_id=office.actor.user_id, role=Role.ADMIN))
    switch(office, rule_id, on=True)
    assert look(office) == 1


def test_a_fault_of_one_file_does_not_keep_the_others_waiting(office: Office) -> None:
    make_rule(office)
    drop(office, "users-1.csv", "colour\nred\n")
    drop(office, "users-2.csv")
    assert look(office) == 1


@pytest.mark.parametrize(("point", "left"), [("asked", 0), ("taken", 1)])
def test_killed_at_any_point_a_file_is_asked_for_once(
    office: Office, settings: Settings, point: str, left: int
) -> None:
    make_rule(office)
    drop(office, "users.csv")
    child = os.fork()
    if child == 0:
        _look_and_die(office, settings, point)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len(jobs(office)) == left
    assert look(office) == 1 - left
    assert len(jobs(office)) == 1
    work(office)
    assert is_user(office, "anna")


def test_of_two_who_saw_the_file_at_the_same_time_one_takes_it(office: Office) -> None:
    make_rule(office)
    drop(office, "users.csv")
    note_arrivals(office.runtime)
    both_saw_it = threading.Barrier(2)

    def find(runtime: Runtime) -> Processors:
        both_saw_it.wait(30)
        return processors_for(runtime)

    with ThreadPoolExecutor(2) as pool:
        looks = [pool.submit(take_arrivals, office.engine, find=find) for _ in range(2)]
        assert sorted(one.result() for one in looks) == [0, 1]
    assert len(jobs(office)) == 1


def test_every_change_is_in_the_audit_log(office: Office) -> None:
    rule_id = make_rule(office)
    with office.runtime.sessions.begin() as session:
        wanted = wish(name="All people")
        service.change_rule(session, rule_id=rule_id, wish=wanted, changing=changing(office))
    switch(office, rule_id, on=False)
    switch(office, rule_id, on=True)
    with office.runtime.sessions.begin() as session:
        service.delete_rule(session, rule_id=rule_id, changing=changing(office))
    query = select(AuditEntry.action).where(AuditEntry.object_kind == "datacenter-rule")
    with office.runtime.reads() as session:
        done = session.scalars(query.order_by(AuditEntry.id)).all()
    assert [action.rpartition(".")[2] for action in done] == [
        "create",
        "change",
        "disable",
        "enable",
        "delete",
    ]


def test_nobody_makes_a_rule_for_what_he_may_not_do(office: Office) -> None:
    clerk = open_office(office.runtime, Role.IMPORT_MANAGER, name="carl")
    with pytest.raises(InvalidError, match="may not use this processor"):
        make_rule(clerk)
    viewer = open_office(office.runtime, Role.DATA_MANAGER, name="vera")
    with pytest.raises(ForbiddenError):
        make_rule(viewer, processor="projects")


@pytest.mark.parametrize(
    "values",
    [
        {"pattern": ""},
        {"pattern": "a/b.csv"},
        {"pattern": "*a" * 9},
        {"pattern": "x" * 256},
        {"name": " "},
        {"place": 0},
        {"profile": "none"},
        {"expected": "every day"},
        {"expected": "0 0 30 2 *"},
        {"grace_minutes": -1},
    ],
)
def test_a_rule_that_cannot_be_is_refused(office: Office, values: dict[str, object]) -> None:
    with pytest.raises(InvalidError):
        make_rule(office, **values)


def test_what_a_rule_tells_is_mailed_with_the_rules_page(
    make_settings: Callable[..., Settings],
) -> None:
    smtp = {"smtp_url": "smtp://mail.example.org", "webhook_urls": ["https://hook.example.org"]}
    runtime = Runtime.open(make_settings(datacenter_settle_seconds=0, disk_reserve_mb=0, **smtp))
    office = open_office(runtime, Role.ADMIN)
    with runtime.sessions.begin() as session:
        session.execute(update(User).values(email="berta@example.org"))
    rule_id = make_rule(office)
    drop(office, "users.csv", "colour\nred\n")
    look(office)
    with runtime.reads() as session:
        sent = {one.channel: one.payload for one in session.scalars(select(Outgoing))}
    runtime.close()
    assert sent["email"]["page"] == f"/datacenter/rules/{rule_id}"
    assert sent["webhook"]["event"] == "datacenter.alarm"


def _look_and_die(office: Office, settings: Settings, point: str) -> None:
    """In a child: look with connections of its own, and be killed at `point`."""
    try:
        own = replace(office, runtime=Runtime.open(settings))

        def step(name: str) -> None:
            if name == point:
                os.kill(os.getpid(), signal.SIGKILL)

        look(own, engine=replace(own.engine, step=step))
    finally:
        os._exit(1)
