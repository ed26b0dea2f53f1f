"""Files processed into tables: a batch as a worker runs it."""

import csv
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from portal.accounts.permissions import SYSTEM, Actor
from portal.jobs import runner
from portal.jobs import service as jobs
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import BULK, Args, Kind, Kinds
from portal.jobs.models import Job
from portal.jobs.service import Subject
from portal.jobs.work import Work
from portal.rows import service
from portal.rows.batch import Batch, BatchOrder, Entry
from portal.rows.books import Pace, open_books
from portal.rows.engine import run_batch
from portal.rows.ledger import entries
from portal.rows.processors import Mode, Processor, Processors, ProcessorSource, Record, Store
from portal.rows.suspects import SUSPECTS
from portal.rows.undo import undo_batch
from portal.runtime import Runtime
from portal.tables.processors import TableProcessors
from portal.tabular.formats import Format


def _keep(records: Sequence[Record], *, at: int) -> int:
    """The data centre keeps what is removed in a file; these tests look at the ledger instead."""
    return at + len(records)


Source = Callable[[Runtime], ProcessorSource]


def _run(
    work: Work,
    *,
    source: Source,
    batch_id: str,
    tried_alone: int = SUSPECTS,
    at_once: int | None = None,
) -> None:
    run_batch(
        work,
        batch_id=batch_id,
        processors=Processors((), sources=(source(work.runtime),)),
        keep_removed=_keep,
        tried_alone=tried_alone,
        pace=None if at_once is None else Pace(rows=at_once),
    )


def _undo(work: Work, *, source: Source, batch_id: str) -> None:
    undo_batch(work, batch_id=batch_id, processors=Processors((), sources=(source(work.runtime),)))


def _anybody(_session: Any, actor: Actor, _of: Job | Args) -> bool:
    return actor.enabled


def _kind(name: str, task: Any) -> Kind:
    return Kind(
        name=name,
        area="test",
        label=name,
        queue=BULK,
        run=task,
        may_view=_anybody,
        may_run=_anybody,
    )


def _kinds(source: Source) -> Kinds:
    run, undo = partial(_run, source=source), partial(_undo, source=source)
    return Kinds((_kind("run", run), _kind("undo", undo)))


class Doubting:
    """The processors of tables, as if the database did not keep records apart."""

    def __init__(self, runtime: Runtime) -> None:
        self._found = TableProcessors(runtime)

    def find(self, name: str) -> Processor | None:
        found = self._found.find(name)
        return found and replace(found, unique=False)

    def all(self, actor: Actor) -> Iterable[Processor]:
        return self._found.all(actor)


class FailedError(Exception):
    """A job did not succeed; the message is its reason."""


class TableBatches:
    """`run` a file of rows into a table, `undo` it; `at_once` rows in one transaction."""

    def __init__(
        self,
        runtime: Runtime,
        folder: Path,
        *,
        at_once: int | None = None,
        source: Source = TableProcessors,
    ) -> None:
        self._runtime = runtime
        self._folder = folder
        self._at_once = at_once
        self._kinds = _kinds(source)
        self._engine = JobEngine(runtime=runtime, kinds=self._kinds)
        self._books = open_books(runtime, Store.TABLES)
        self._files = 0

    def run(
        self, table: str, rows: Sequence[dict[str, str]], *, mode: Mode = Mode.CREATE, **values: Any
    ) -> Batch:
        """Process `rows`, whose first tells the columns."""
        self._files += 1
        path = self._folder / f"file-{self._files}.csv"
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return self.run_file(path, table, columns=tuple(rows[0]), mode=mode, **values)

    def run_file(
        self,
        path: Path,
        table: str,
        *,
        columns: Sequence[str],
        mode: Mode = Mode.CREATE,
        actor: Actor = SYSTEM,
        kind: str = "test",
        tried_alone: int = SUSPECTS,
        fmt: Format | None = None,
        **values: Any,
    ) -> Batch:
        """Process the file at `path`, read as `fmt` says."""
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
        order = BatchOrder(
            kind=kind,
            processor=f"table:{table}",
            mode=mode,
            file=path,
            file_name=path.name,
            sha256=digest.hexdigest(),
            size=path.stat().st_size,
            format=fmt or Format(),
            columns=tuple(columns),
            **values,
        )
        with self._runtime.sessions.begin() as session:
            batch = service.create_batch(
                session, order=order, actor=actor, now=self._runtime.clock(), store=Store.TABLES
            )
        return self._perform("run", batch.id, actor, tried_alone=tried_alone, at_once=self._at_once)

    def undo(self, batch: Batch) -> Batch:
        """Take back what `batch` did."""
        return self._perform("undo", batch.id, SYSTEM)

    def errors(self, batch: Batch) -> dict[int, dict[str, list[str]]]:
        """What is wrong with the rows that failed, by their number."""
        found = self.entries(batch)
        return {entry.first_row: dict(entry.errors) for entry in found if entry.errors}

    def entries(self, batch: Batch) -> list[Entry]:
        """What the ledger says of the rows."""
        with self._books.read() as session:
            return list(entries(session, self._books.tables, batch))

    def _perform(self, kind: str, batch_id: str, actor: Actor, **args: Any) -> Batch:
        with self._runtime.sessions.begin() as session:
            job_id = jobs.submit(
                session,
                kind=self._kinds.get(kind),
                actor=actor,
                args={"batch_id": batch_id, **args},
                title=kind,
                subject=Subject(kind="batch", id=batch_id),
                waker=lambda _queue, _job: True,
                now=self._runtime.clock(),
            ).job.id
        runner.perform(job_id, engine=self._engine)
        with self._runtime.reads() as session:
            job = session.scalars(select(Job).where(Job.id == job_id)).one()
        if job.state != "succeeded":
            raise FailedError(job.reason)
        with self._books.read() as session:
            return service.get_batch(session, batch_id=batch_id, tables=self._books.tables)
