"""The example content is whole, and loading it again harms nothing."""

from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.errors import ForbiddenError
from portal.example import PROJECT, load_example
from portal.projects.archive import ArchiveReport
from portal.projects.exports import build_export
from portal.projects.models import Policy, Project, ProjectFile, ProjectPage
from portal.runtime import Runtime


def test_the_example_is_an_open_project_with_pages_and_files(runtime: Runtime) -> None:
    assert load_example(runtime, SYSTEM) == PROJECT
    with runtime.reads() as session:
        project = session.get_one(Project, PROJECT)
        assert (project.policy, project.home) == (Policy.OPEN, "index")
        assert session.scalar(select(func.count()).select_from(ProjectPage)) == 8
        assert set(session.scalars(select(ProjectFile.path))) == {
            "files/keeping-periods.csv",
            "files/template.csv",
            "pictures/way-of-a-record.png",
        }


def test_loading_the_example_again_keeps_what_people_changed(runtime: Runtime) -> None:
    load_example(runtime, SYSTEM)
    with runtime.sessions.begin() as session:
        session.execute(update(Project).values(title="Ours"))
    assert load_example(runtime, SYSTEM) == PROJECT
    with runtime.reads() as session:
        assert session.scalars(select(Project.title)).all() == ["Ours"]


def test_no_link_of_the_example_is_dead(runtime: Runtime, tmp_path: Path) -> None:
    load_example(runtime, SYSTEM)
    reports: list[ArchiveReport] = []
    build_export(PROJECT, folder=tmp_path, runtime=runtime, reported=reports.append)
    assert [report.dead_links for report in reports] == [0]


def test_who_may_create_no_projects_may_not_load_the_example(runtime: Runtime) -> None:
    operator = Actor(user_id=None, name="otto", roles=frozenset({Role.OPERATOR}))
    with pytest.raises(ForbiddenError):
        load_example(runtime, operator)
