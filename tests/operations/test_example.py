"""The example content is whole, and loading it again harms nothing."""

from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.accounts.service import find_user
from portal.assembly import processors_for
from portal.datacenter.looking import look
from portal.datacenter.removal import delete_files
from portal.datacenter.service import open_data_center
from portal.errors import ForbiddenError
from portal.example import PROJECT, load_example
from portal.projects.archive import ArchiveReport
from portal.projects.exports import build_export
from portal.projects.models import Policy, Project, ProjectFile, ProjectPage
from portal.rows.looking import Wish
from portal.rows.models import PORTAL_LEDGER
from portal.runtime import Runtime
from tests.datacenter.processing import names_in


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


def lying(runtime: Runtime) -> dict[str, list[str]]:
    """The names of the data centre's files by folder."""
    storage = open_data_center(runtime).storage
    return {name: names_in(storage / name) for name in ("", "finished", "unfinished")}


def test_the_example_has_good_rows_that_are_done_and_bad_ones_to_repair(runtime: Runtime) -> None:
    load_example(runtime, SYSTEM)
    assert lying(runtime) == {
        "": ["example-people.create.pending.csv", "example-records.csv"],
        "finished": ["example-people.create.finished.csv"],
        "unfinished": ["example-people.csv"],
    }
    pending = open_data_center(runtime).storage / "example-people.create.pending.csv"
    assert [line.split(",")[0] for line in pending.read_text().splitlines()] == [
        "name",
        "example.chloe",
        "example.elif",
    ]


def test_nobody_can_sign_in_as_somebody_of_the_example(runtime: Runtime) -> None:
    load_example(runtime, SYSTEM)
    with runtime.reads() as session:
        anna = find_user(session, "example.anna")
        assert anna is not None
        assert not anna.enabled


def test_the_example_has_a_file_that_fits_its_table(runtime: Runtime) -> None:
    load_example(runtime, SYSTEM)
    seen = look(
        open_data_center(runtime).get_file("example-records.csv"),
        wish=Wish(processor="table:example_record", mode="create"),
        processors=[processors_for(runtime).get("table:example_record")],
    )
    assert seen.faults == ()
    assert (seen.format.encoding, seen.delimiter) == ("cp1252", "semicolon")


def test_loading_the_example_again_brings_no_file_twice(runtime: Runtime) -> None:
    load_example(runtime, SYSTEM)
    before = lying(runtime)
    load_example(runtime, SYSTEM)
    assert lying(runtime) == before


def test_the_people_of_the_example_are_processed_once_only(runtime: Runtime) -> None:
    load_example(runtime, SYSTEM)
    delete_files(runtime, wanted=["example-people.create.pending.csv"], actor=SYSTEM)
    load_example(runtime, SYSTEM)
    assert "example-people.create.pending.csv" not in lying(runtime)[""]


def imports_of(runtime: Runtime) -> list[tuple[int, int, int]]:
    """Inserted, updated and failed rows of each import that there was."""
    batch = PORTAL_LEDGER.batch
    counts = select(batch.c.created, batch.c.updated, batch.c.failed)
    with runtime.reads() as session:
        return [tuple(row) for row in session.execute(counts.where(batch.c.kind == "imports"))]


def test_the_example_has_one_import_with_rows_to_repair(runtime: Runtime) -> None:
    load_example(runtime, SYSTEM)
    load_example(runtime, SYSTEM)
    assert imports_of(runtime) == [(3, 2, 2)]


def test_who_is_no_administrator_gets_the_project_alone(runtime: Runtime) -> None:
    member = Actor(user_id=None, name="mia", roles=frozenset({Role.MEMBER}))
    load_example(runtime, member)
    assert lying(runtime)[""] == []
