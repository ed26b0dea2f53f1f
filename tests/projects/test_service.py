"""Projects, members and pages in the database."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Role
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.projects import members, pages, service
from portal.projects.load_order import LoadOrder, OnConflict
from portal.projects.loading import load_folder
from portal.projects.models import PageFormat, PageVersion, Policy, ProjectPage, ProjectRole
from portal.projects.storage import GRACE, project_folder, sweep
from portal.runtime import Runtime
from tests.projects.people import People
from tests.projects.trees import write_tree


@pytest.fixture
def m1(people: People) -> Actor:
    return people.make("m1")


@pytest.fixture
def make_project(runtime: Runtime, m1: Actor) -> Callable[..., None]:
    """`make_project(id, policy)` as m1."""

    def make(project_id: str = "p1", policy: Policy = Policy.MEDIUM) -> None:
        with runtime.sessions.begin() as session:
            service.create_project(
                session,
                actor=m1,
                project_id=project_id,
                title=project_id,
                policy=policy,
                now=runtime.clock(),
            )

    return make


def write(session: Session, runtime: Runtime, actor: Actor, **values: object) -> ProjectPage:
    defaults: dict[str, object] = {
        "project_id": "p1",
        "name": "a/b",
        "source": "# One",
        "page_format": PageFormat.MARKDOWN,
    }
    return pages.write_page(
        session,
        actor=actor,
        now=runtime.clock(),
        **(defaults | values),  # type: ignore[arg-type]
    )


def test_a_taken_id_is_refused(make_project: Callable[..., None]) -> None:
    make_project()
    with pytest.raises(ConflictError):
        make_project()


@pytest.mark.parametrize("wrong", ["", "A", "-a", "a/b", "a b", "..", "a.", "x" * 101, "new"])
def test_an_id_that_makes_trouble_is_refused(make_project: Callable[..., None], wrong: str) -> None:
    with pytest.raises(InvalidError):
        make_project(wrong)


def test_only_members_make_projects(runtime: Runtime, people: People) -> None:
    operator = people.make("op", Role.OPERATOR)
    with runtime.sessions.begin() as session, pytest.raises(ForbiddenError):
        service.create_project(
            session, actor=operator, project_id="p", title="P", now=runtime.clock()
        )


def test_lists_go_on_where_they_ended(
    runtime: Runtime, m1: Actor, make_project: Callable[..., None]
) -> None:
    for number in range(5):
        make_project(f"p{number}")
    with runtime.reads() as session:
        first = service.list_projects(session, actor=m1, limit=2)
        rest = service.list_projects(session, actor=m1, after=first[-1].project.id)
        assert service.count_projects(session, m1) == 5
    assert [line.project.id for line in first + rest] == ["p0", "p1", "p2", "p3", "p4"]


def test_a_list_has_only_what_the_policy_lets_one_see(
    runtime: Runtime, people: People, make_project: Callable[..., None]
) -> None:
    for policy in Policy:
        make_project(str(policy), policy)
    other = people.make("m2")
    with runtime.reads() as session:
        seen = [line.project.id for line in service.list_projects(session, actor=other)]
    assert seen == ["medium", "open"]


def test_the_last_admin_can_neither_go_nor_step_down(
    runtime: Runtime, m1: Actor, make_project: Callable[..., None]
) -> None:
    make_project()
    who = {"actor": m1, "project_id": "p1", "name": "m1", "now": runtime.clock()}
    with runtime.sessions() as session:
        with pytest.raises(ConflictError, match=r"^Cannot remove last admin: m1$"):
            members.remove_member(session, **who)
        with pytest.raises(ConflictError, match=r"^Cannot remove last admin: m1$"):
            members.set_member(session, role=ProjectRole.MEMBER, **who)


def test_an_admin_may_go_when_another_stays(
    runtime: Runtime, m1: Actor, people: People, make_project: Callable[..., None]
) -> None:
    make_project()
    people.join(people.make("m2"), "p1", ProjectRole.ADMIN)
    with runtime.sessions.begin() as session:
        members.remove_member(session, actor=m1, project_id="p1", name="m1", now=runtime.clock())
    with runtime.reads() as session:
        assert [member.name for member in members.list_members(session, "p1")] == ["m2"]


def test_every_write_makes_a_version(
    runtime: Runtime, m1: Actor, make_project: Callable[..., None]
) -> None:
    make_project()
    for source in ("# One", "# Two"):
        with runtime.sessions.begin() as session:
            write(session, runtime, m1, source=source)
    with runtime.reads() as session:
        versions = session.execute(
            select(PageVersion.number, PageVersion.title).order_by(PageVersion.number)
        ).all()
        page = pages.get_page(session, project_id="p1", name="A/B")
    assert [tuple(version) for version in versions] == [(1, "One"), (2, "Two")]
    assert (page.title, page.version, page.file_name) == ("Two", 2, "a/b.md")


def test_who_writes_over_a_newer_version_is_told(
    runtime: Runtime, m1: Actor, make_project: Callable[..., None]
) -> None:
    make_project()
    with runtime.sessions.begin() as session:
        write(session, runtime, m1)
        write(session, runtime, m1, based_on=1)
        with pytest.raises(ConflictError, match="Somebody else changed"):
            write(session, runtime, m1, based_on=1)


def test_a_page_is_written_only_with_the_right(
    runtime: Runtime, people: People, make_project: Callable[..., None]
) -> None:
    make_project("p1", Policy.CLOSED)
    make_project("p2", Policy.MEDIUM)
    other = people.make("m2")
    with runtime.sessions() as session:
        with pytest.raises(NotFoundError):
            write(session, runtime, other)
        with pytest.raises(ForbiddenError):
            write(session, runtime, other, project_id="p2")


def test_replaced_files_are_swept_after_a_while(
    runtime: Runtime, m1: Actor, make_folder: Callable[..., Path]
) -> None:
    folder = make_folder("docs", {"a.bin": b"1", "b.bin": b"1"})
    order = LoadOrder(folder=folder, project_id="p1", on_conflict=OnConflict.UPDATE)
    load_folder(runtime, order=order, actor=m1)
    write_tree(folder, {"a.bin": b"22"})
    load_folder(runtime, order=order, actor=m1)
    stored = project_folder(runtime.settings, "p1")
    assert len(list(stored.iterdir())) == 3
    assert sweep(runtime) == 0
    tomorrow = Runtime(
        settings=runtime.settings,
        engine=runtime.engine,
        sessions=runtime.sessions,
        reads=runtime.reads,
        redis=runtime.redis,
        clock=lambda: runtime.clock() + GRACE * 2,
    )
    assert sweep(tomorrow) == 1
    assert len(list(stored.iterdir())) == 2
