"""Removals of many records: nothing goes before a second person with the right approved it."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts.models import User
from portal.accounts.permissions import SYSTEM, Role
from portal.accounts.processors import USERS
from portal.audit.models import AuditEntry
from portal.datacenter import again
from portal.datacenter.approvals import OWN, WAITS, Extent
from portal.datacenter.approving import concerns_of
from portal.datacenter.models import RemovalApproval
from portal.errors import ConflictError, ForbiddenError
from portal.jobs import service as jobs
from portal.jobs.concerns import Concern
from portal.jobs.models import Notification
from portal.jobs.runner import perform
from portal.rows.batch import Batch, BatchState
from portal.rows.processors import Mode
from portal.runtime import Runtime
from portal.settings import Settings
from tests.datacenter.processing import Office, fail, open_office
from tests.datacenter.removals import FILE, approve, ask_to_remove, make_users, names, users_left

WOULD_GO = "12 of 14 users would be removed. A second person with the right must approve it."


@pytest.fixture
def office(runtime: Runtime) -> Office:
    """Berta's, beside twelve users who may be removed."""
    office = open_office(runtime, Role.ADMIN)
    make_users(office, 12)
    return office


@pytest.fixture
def second(runtime: Runtime, office: Office) -> Office:
    return open_office(office.runtime, Role.ADMIN, name="carla")


@pytest.fixture
def waiting(office: Office, second: Office) -> Batch:
    return ask_to_remove(office, 12)


def go_on(office: Office, batch: Batch, *, give_up: bool = False) -> str:
    with office.runtime.sessions.begin() as session:
        return again.go_on(
            session, batch, center=office.center, asking=office.asking(), give_up=give_up
        ).job.id


def test_a_removal_of_more_than_the_share_waits_with_nothing_done(
    office: Office, waiting: Batch
) -> None:
    assert waiting.state is BatchState.PAUSED
    assert (waiting.counts.processed, waiting.counts.total) == (0, 12)
    assert users_left(office) == 14
    assert office.lying()["deleted"] == []
    assert office.lying()[""] == [FILE]


def test_the_job_says_how_much_would_go(office: Office, waiting: Batch) -> None:
    assert office.job(str(waiting.job_id)).progress["message"] == WOULD_GO


def test_the_second_persons_yes_lets_it_go_on(
    office: Office, second: Office, waiting: Batch
) -> None:
    done = office.finish(approve(second, waiting))
    assert (done.state, done.counts.removed) == (BatchState.DONE, 12)
    assert users_left(office) == 2


def test_it_is_recorded_who_approved_what(second: Office, waiting: Batch) -> None:
    approve(second, waiting)
    with second.runtime.reads() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "datacenter.approve")
        ).one()
    assert (entry.actor_name, entry.object_id) == ("carla", FILE)
    assert entry.detail == {"batch": waiting.id, "rows": 12, "records": 14}


def test_who_asked_cannot_approve(office: Office, waiting: Batch) -> None:
    with pytest.raises(ForbiddenError, match=re.escape(OWN)):
        approve(office, waiting)


def test_who_could_not_ask_cannot_approve(office: Office, waiting: Batch) -> None:
    other = open_office(office.runtime, Role.IMPORT_MANAGER, name="dora")
    with pytest.raises(ForbiddenError, match="may not remove such records"):
        approve(other, waiting)


def test_the_system_approves_what_a_user_asked(office: Office, waiting: Batch) -> None:
    assert office.finish(approve(office, waiting, actor=SYSTEM)).counts.removed == 12


def test_the_system_does_not_approve_what_it_asked_itself(office: Office, second: Office) -> None:
    shell = Office(runtime=office.runtime, actor=SYSTEM)
    batch = ask_to_remove(shell, 12)
    with pytest.raises(ForbiddenError, match=re.escape(OWN)):
        approve(shell, batch)
    assert office.finish(approve(second, batch)).counts.removed == 12


@pytest.mark.parametrize("give_up", [False, True])
def test_without_approval_the_rest_can_only_be_put_aside(
    office: Office, waiting: Batch, give_up: bool
) -> None:
    if not give_up:
        with pytest.raises(ConflictError, match=re.escape(WAITS)):
            go_on(office, waiting)
        return
    office.finish(go_on(office, waiting, give_up=True))
    assert office.lying()[""] == ["leavers.remove.pending.csv"]
    assert users_left(office) == 14


def test_what_was_put_aside_asks_anew(office: Office, second: Office, waiting: Batch) -> None:
    office.finish(go_on(office, waiting, give_up=True))
    assert concerns(second) == []
    batch = office.process("leavers.remove.pending.csv", "users", Mode.REMOVE)
    assert batch.state is BatchState.PAUSED
    assert len(concerns(second)) == 1


def test_another_file_needs_an_approval_of_its_own(
    office: Office, second: Office, waiting: Batch
) -> None:
    approve(second, waiting)
    office.put("others.csv", names(11))
    assert office.process("others.csv", "users", Mode.REMOVE).state is BatchState.PAUSED


def test_an_approval_counts_no_more_when_its_giver_lost_the_right(
    office: Office, second: Office, waiting: Batch
) -> None:
    job_id = approve(second, waiting)
    with office.runtime.sessions.begin() as session:
        user = session.scalars(select(User).where(User.name == "carla")).one()
        accounts.set_roles(
            session, user, actor=SYSTEM, roles={Role.MEMBER}, now=office.runtime.clock()
        )
    third = open_office(office.runtime, Role.ADMIN, name="dora")
    perform(job_id, engine=office.engine)
    assert users_left(office) == 15
    assert perform(go_on(third, office.batch(waiting.id)), engine=office.engine)
    assert office.batch(waiting.id).state is BatchState.PAUSED
    assert users_left(office) == 15


def test_an_approval_outlives_the_job_that_it_let_go_on(
    office: Office, second: Office, waiting: Batch
) -> None:
    job_id = approve(second, waiting)
    with office.runtime.sessions.begin() as session:
        asking = second.asking()
        job = jobs.get_job(session, kinds=asking.kinds, actor=asking.actor, job_id=job_id)
        jobs.cancel(
            session,
            kinds=asking.kinds,
            actor=asking.actor,
            job=job,
            waker=asking.waker,
            settings=office.runtime.settings,
            now=asking.now,
        )
    again_id = approve(second, office.batch(waiting.id))
    assert again_id != job_id
    assert office.finish(again_id).counts.removed == 12


def test_approving_twice_is_one_approval_and_one_job(second: Office, waiting: Batch) -> None:
    assert approve(second, waiting) == approve(second, waiting)
    with second.runtime.reads() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "datacenter.approve")
        ).all()
    assert len(entries) == 1


def test_what_waits_for_nobody_is_not_approved(office: Office, second: Office) -> None:
    done = ask_to_remove(office, 3)
    assert done.counts.removed == 3
    with pytest.raises(ConflictError, match="Nobody has to approve"):
        approve(second, done)


def test_a_dry_run_asks_nobody(office: Office, second: Office) -> None:
    office.put(FILE, names(12))
    tried = office.process(FILE, "users", Mode.REMOVE, dry_run=True)
    assert (tried.state, tried.counts.removed) == (BatchState.DONE, 12)


def test_those_who_may_approve_are_told_and_see_it_among_their_concerns(
    office: Office, second: Office, waiting: Batch
) -> None:
    with office.runtime.reads() as session:
        notices = session.scalars(select(Notification).where(Notification.state == "approval"))
        told = [(notice.user_id, notice.page) for notice in notices]
    page = f"/datacenter/runs/{waiting.job_id}"
    assert told == [(second.actor.user_id, page)]
    assert [(one.title, one.url) for one in concerns(second)] == [(FILE, page)]
    assert concerns(office) == []


def test_a_job_that_is_done_again_asks_again_but_tells_nobody_twice(
    office: Office, second: Office, waiting: Batch
) -> None:
    job_id = str(waiting.job_id)
    fail(office, job_id)
    with office.runtime.sessions.begin() as session:
        asking = office.asking()
        job = jobs.get_job(session, kinds=asking.kinds, actor=asking.actor, job_id=job_id)
        jobs.retry(
            session,
            kinds=asking.kinds,
            actor=asking.actor,
            job=job,
            waker=asking.waker,
            now=asking.now,
        )
    assert office.finish(job_id).state is BatchState.PAUSED
    with office.runtime.reads() as session:
        told = session.scalars(select(Notification).where(Notification.state == "approval")).all()
    assert len(told) == 1


def concerns(office: Office) -> list[Concern]:
    with office.runtime.reads() as session:
        processors = office.asking().processors
        return concerns_of(session, office.actor, processors=processors)


def test_rows_of_a_table_are_counted_and_approved_by_whom_it_is_granted(runtime: Runtime) -> None:
    with runtime.tables.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE people (name text PRIMARY KEY)")
        connection.exec_driver_sql(
            f"INSERT INTO people VALUES {', '.join(f'({n!r})' for n in names(20).split()[1:])}"
        )
    office = open_office(runtime, Role.IMPORT_MANAGER)
    office.put(FILE, names(11))
    batch = office.process(FILE, "table:people", Mode.REMOVE)
    said = office.job(str(batch.job_id)).progress["message"]
    assert said.startswith("11 of 20 rows of table people would be removed.")
    manager = open_office(runtime, Role.DATA_MANAGER, name="carla")
    with pytest.raises(ForbiddenError):
        approve(manager, batch)
    second = open_office(runtime, Role.IMPORT_MANAGER, name="dora")
    done = office.finish(approve(second, office.batch(batch.id)))
    assert (done.state, done.counts.removed) == (BatchState.DONE, 11)


@pytest.mark.parametrize(
    ("rows", "records", "share", "asks"),
    [
        (9, 9, 1, False),
        (10, 10, 50, True),
        (10, 20, 50, False),
        (11, 20, 50, True),
        (500, 20, 99, True),
        (500, 0, 1, False),
        (500, 500, 100, False),
        (10, None, 99, True),
        (9, None, 1, False),
        (500, None, 100, False),
    ],
)
def test_how_much_is_too_much_for_one_person(
    rows: int, records: int | None, share: int, asks: bool
) -> None:
    assert Extent(rows=rows, records=records).exceeds(share) is asks


def test_what_nobody_can_count_is_told_without_a_number_of_records() -> None:
    told = Extent(rows=1200, records=None).told(USERS)
    assert told == "Up to 1,200 records would be removed (users)."


def test_no_more_than_all_records_are_told_to_go() -> None:
    assert Extent(rows=30, records=20).told(USERS) == "20 of 20 users would be removed."


class TestWithoutShare:
    @pytest.fixture
    def settings(self, make_settings: Callable[..., Settings]) -> Settings:
        return make_settings(
            datacenter_settle_seconds=0, disk_reserve_mb=0, datacenter_removal_share=100
        )

    def test_nobody_is_asked(self, office: Office) -> None:
        assert ask_to_remove(office, 12).counts.removed == 12
        with office.runtime.reads() as session:
            assert session.scalars(select(RemovalApproval)).all() == []
