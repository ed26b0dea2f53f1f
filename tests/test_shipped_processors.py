"""Users, projects, members and pages in whole batches: done by the engine, and undone by it."""

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.accounts.models import User
from portal.accounts.permissions import SYSTEM
from portal.assembly import PROCESSORS, SHIPPED
from portal.jobs import runner
from portal.jobs import service as jobs
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import BULK, Kind, Kinds
from portal.jobs.models import Job, JobState
from portal.jobs.service import Subject
from portal.jobs.work import Work
from portal.projects.models import Project, ProjectMember, ProjectPage
from portal.rows import service
from portal.rows.batch import Batch, BatchOrder, BatchState
from portal.rows.engine import run_batch
from portal.rows.processors import Acting, Mode, Record
from portal.rows.undo import undo_batch
from portal.runtime import Runtime
from portal.tabular.fields import Values
from portal.tabular.formats import Format

FILES: dict[str, list[dict[str, str]]] = {
    "users": [
        {"name": "anna", "email": "a@example.org", "roles": "admin; member", "enabled": "yes"},
        {"name": "bert", "email": "", "roles": "", "enabled": "no"},
        {"name": "system", "email": "", "roles": "", "enabled": ""},
    ],
    "projects": [
        {"id": "p1", "title": "One", "policy": "open", "owner": "anna"},
        {"id": "p2", "title": "", "policy": "", "owner": "bert"},
        {"id": "P 3", "title": "", "policy": "", "owner": "anna"},
    ],
    "members": [
        {"project": "p1", "user": "bert", "role": "ProjectAdmin"},
        {"project": "p9", "user": "bert", "role": ""},
    ],
    "pages": [
        {"project": "p1", "name": "a/b", "format": "html", "text": "<h1>One</h1>\n<p>é"},
        {"project": "p1", "name": "c", "format": "", "text": "# Two"},
        {"project": "p9", "name": "c", "format": "", "text": "# Two"},
    ],
}
CHANGES: dict[str, list[dict[str, str]]] = {
    "users": [
        {"name": "BERT", "email": "b@example.org", "roles": "operator", "enabled": "yes"},
        {"name": "anna", "email": "XXX", "roles": "XXX", "enabled": "no"},
    ],
    "projects": [
        {"id": "p1", "title": "Other", "policy": "closed", "owner": "bert"},
        {"id": "p2", "title": "Two", "policy": "open", "owner": "XXX"},
    ],
    "members": [{"project": "p1", "user": "Bert", "role": "ProjectMember"}],
    "pages": [
        {"project": "p1", "name": "A/B", "format": "markdown", "text": "changed"},
        {"project": "p1", "name": "c", "format": "", "text": "XXX"},
    ],
}
NAMES = list(FILES)


class Bench:
    """Runs batches of the shipped processors as the system, one after the other."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        self._runtime, self._folder, self._count = runtime, folder, 0
        self._engine = JobEngine(
            runtime=runtime, kinds=Kinds((_kind("run", _run), _kind("undo", _undo)))
        )

    def do(
        self,
        processor: str,
        rows: Sequence[Mapping[str, str]],
        mode: Mode = Mode.CREATE,
        *,
        dry_run: bool = False,
    ) -> Batch:
        self._count += 1
        path = self._folder / f"{self._count}.csv"
        path.write_bytes(_content(rows))
        order = BatchOrder(
            kind="test",
            processor=processor,
            mode=mode,
            file=path,
            file_name=path.name,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            size=path.stat().st_size,
            format=Format(),
            columns=tuple(rows[0]),
            dry_run=dry_run,
        )
        with self._runtime.sessions.begin() as session:
            now = self._runtime.clock()
            batch = service.create_batch(session, order=order, actor=SYSTEM, now=now)
        return self._performed(batch.id, "run")

    def undo(self, batch: Batch) -> Batch:
        return self._performed(batch.id, "undo")

    def state(self) -> list[tuple[str, Values]]:
        """All records, as their processors tell them."""
        with self._runtime.reads() as session:
            identities: list[tuple[str, Values]] = [
                *(("users", {"name": name}) for name in session.scalars(select(User.name))),
                *(("projects", {"id": id_}) for id_ in session.scalars(select(Project.id))),
                *(
                    ("members", {"project": row.project_id, "user": row.name})
                    for row in session.execute(
                        select(ProjectMember.project_id, User.name).join(
                            User, User.id == ProjectMember.user_id
                        )
                    )
                ),
                *(
                    ("pages", {"project": row.project_id, "name": row.name})
                    for row in session.execute(select(ProjectPage.project_id, ProjectPage.name))
                ),
            ]
            acting = Acting(
                actor=SYSTEM, now=self._runtime.clock(), settings=self._runtime.settings
            )
            found = [
                (name, PROCESSORS.get(name).records.find(session, values, acting=acting))
                for name, values in identities
            ]
        return sorted(((name, _values(record)) for name, record in found), key=repr)

    def _performed(self, batch_id: str, task: str) -> Batch:
        with self._runtime.sessions.begin() as session:
            job_id = jobs.submit(
                session,
                kind=self._engine.kinds.get(f"test.{task}"),
                actor=SYSTEM,
                args={"batch_id": batch_id},
                title=task,
                subject=Subject(kind="batch", id=batch_id),
                waker=lambda _queue, _job: True,
                now=self._runtime.clock(),
            ).job.id
        runner.perform(job_id, engine=self._engine)
        with self._runtime.reads() as session:
            job = session.scalars(select(Job).where(Job.id == job_id)).one()
            assert job.state == JobState.SUCCEEDED, job.reason
            return service.get_batch(session, batch_id=batch_id)


def _content(rows: Sequence[Mapping[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _values(record: Record | None) -> Values:
    assert record is not None
    return record.values


def _run(work: Work, *, batch_id: str) -> dict[str, Any]:
    def keep(records: Sequence[Record], *, at: int) -> int:
        return at + len(records)

    run_batch(work, batch_id=batch_id, processors=PROCESSORS, keep_removed=keep)
    return {}


def _undo(work: Work, *, batch_id: str) -> dict[str, Any]:
    undo_batch(work, batch_id=batch_id, processors=PROCESSORS)
    return {}


def _kind(name: str, task: Callable[..., dict[str, Any]]) -> Kind:
    return Kind(
        name=f"test.{name}",
        area="test",
        label=name,
        queue=BULK,
        run=task,
        may_view=lambda _session, _actor, _job: True,
        may_run=lambda _session, _actor, _args: True,
    )


@pytest.fixture
def bench(runtime: Runtime, tmp_path: Path) -> Bench:
    made = Bench(runtime, tmp_path)
    made.do("users", [{"name": "root", "roles": "admin"}])
    return made


@pytest.fixture
def filled(bench: Bench) -> Bench:
    """With the records of all four files."""
    for name, rows in FILES.items():
        bench.do(name, rows)
    return bench


def test_good_rows_are_made_and_bad_ones_fail(bench: Bench) -> None:
    counts = [bench.do(name, rows).counts for name, rows in FILES.items()]
    assert [(count.created, count.failed) for count in counts] == [(2, 1), (2, 1), (1, 1), (2, 1)]


def test_the_same_file_again_makes_nothing(filled: Bench) -> None:
    before = filled.state()
    counts = [filled.do(name, rows).counts for name, rows in FILES.items()]
    assert [count.created for count in counts] == [0, 0, 0, 0]
    assert filled.state() == before


def test_what_was_made_is_undone(bench: Bench) -> None:
    states, batches = [], []
    for name, rows in FILES.items():
        states.append(bench.state())
        batches.append(bench.do(name, rows))
    while batches:
        undone = bench.undo(batches.pop())
        assert (undone.state, undone.kept) == (BatchState.UNDONE, 0)
        assert bench.state() == states.pop()


@pytest.mark.parametrize("name", NAMES)
def test_what_was_changed_is_undone(filled: Bench, name: str) -> None:
    before = filled.state()
    batch = filled.do(name, CHANGES[name], Mode.UPDATE)
    assert (batch.counts.updated, batch.counts.failed) == (len(CHANGES[name]), 0)
    assert filled.state() != before
    assert filled.undo(batch).kept == 0
    assert filled.state() == before


def test_what_was_removed_is_undone(filled: Bench) -> None:
    states, batches = [], []
    for name in reversed(FILES):
        rows = [dict(list(row.items())[:2]) for row in FILES[name]]
        states.append(filled.state())
        batches.append(filled.do(name, rows, Mode.REMOVE))
        assert batches[-1].counts.failed == 1
    while batches:
        assert filled.undo(batches.pop()).kept == 0
        assert filled.state() == states.pop()


def test_a_dry_run_counts_what_the_run_does_and_writes_nothing(
    filled: Bench, runtime: Runtime
) -> None:
    before = filled.state()
    planned = filled.do("users", CHANGES["users"], Mode.UPDATE, dry_run=True)
    removed = filled.do("projects", [{"id": "p1"}, {"id": "p2"}], Mode.REMOVE, dry_run=True)
    assert (planned.counts.updated, removed.counts.removed, removed.counts.failed) == (2, 1, 1)
    assert filled.state() == before


def test_the_last_admin_survives_a_file_that_names_all(filled: Bench, runtime: Runtime) -> None:
    rows = [{"name": name, "enabled": "no"} for name in ("root", "anna", "bert")]
    batch = filled.do("users", rows, Mode.UPDATE)
    assert batch.counts.failed == 1
    with runtime.reads() as session:
        assert session.scalar(select(func.count()).where(User.enabled)) == 1


def test_every_shipped_processor_has_a_file_here() -> None:
    assert [processor.name for processor in SHIPPED] == NAMES
