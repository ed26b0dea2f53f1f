"""Batches for tests: files of people, jobs that do them, and what came of it."""

import csv
import hashlib
import io
from contextlib import closing

from sqlalchemy import insert, select

from portal.accounts.permissions import SYSTEM
from portal.jobs import runner
from portal.jobs import service as jobs
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, JobState
from portal.jobs.service import Subject
from portal.rows import service
from portal.rows.batch import BatchOrder
from portal.rows.books import open_books
from portal.rows.editing import edit_cells, skip_rows
from portal.rows.ledger import entries
from portal.rows.processors import Mode, Store
from portal.tabular.formats import Format
from tests.rows.kinds import KINDS, backup_path
from tests.rows.people import NAMES, PERSON, PROCESSORS, make_table


class Batches:
    """What a test of batches works with."""

    def __init__(self, runtime, folder, processor="people"):
        self.runtime = runtime
        self.folder = folder
        self.processor = processor
        self.store = PROCESSORS.get(processor).store
        self.engine = JobEngine(runtime=runtime, kinds=KINDS)
        self.database = runtime.tables if self.store is Store.TABLES else runtime.engine
        self.books = open_books(runtime, self.store)
        self._files = 0
        with self.database.begin() as connection:
            make_table(connection)

    def order(self, rows, *, mode=Mode.CREATE, columns=NAMES, header=NAMES, **values):
        """An order for a file of `rows`: dicts, or lists of cells."""
        self._files += 1
        path = self.folder / f"file-{self._files}.csv"
        path.write_bytes(content(rows, header))
        return self.order_of(path, mode=mode, columns=columns, **values)

    def order_of(self, path, *, mode=Mode.CREATE, columns=NAMES, **values):
        stored = path.read_bytes()
        defaults = {
            "kind": "test",
            "processor": self.processor,
            "mode": mode,
            "file": path,
            "file_name": "people.csv",
            "sha256": hashlib.sha256(stored).hexdigest(),
            "size": len(stored),
            "format": Format(),
            "columns": tuple(columns),
        }
        return BatchOrder(**(defaults | values))

    def make(self, rows=None, *, order=None, **values):
        """A batch that waits."""
        wanted = order or self.order(rows, **values)
        with self.runtime.sessions.begin() as session:
            return service.create_batch(
                session,
                order=wanted,
                actor=SYSTEM,
                now=self.runtime.clock(),
                store=self.store,
            ).id

    def submit(self, batch_id, task="run", *, actor=SYSTEM):
        with self.runtime.sessions.begin() as session:
            return jobs.submit(
                session,
                kind=KINDS.get(f"rows.{task}"),
                actor=actor,
                args={"batch_id": batch_id},
                title=task,
                subject=Subject(kind="batch", id=batch_id),
                waker=lambda _queue, _job: True,
                now=self.runtime.clock(),
                lane=f"batch:{batch_id}",
            ).job.id

    def perform(self, batch_id, task="run"):
        """Do or undo a batch in this process; returns its ended job."""
        job_id = self.submit(batch_id, task)
        runner.perform(job_id, engine=self.engine)
        with self.runtime.reads() as session:
            return session.scalars(select(Job).where(Job.id == job_id)).one()

    def run(self, batch_id):
        job = self.perform(batch_id)
        assert job.state == JobState.SUCCEEDED, job.reason
        return self.batch(batch_id)

    def done(self, rows, **values):
        """A batch of these rows that was run."""
        return self.run(self.make(rows, **values))

    def undo(self, batch_id):
        job = self.perform(batch_id, "undo")
        assert job.state == JobState.SUCCEEDED, job.reason
        return self.batch(batch_id)

    def redo(self, batch_id):
        job = self.perform(batch_id, "redo")
        assert job.state == JobState.SUCCEEDED, job.reason
        return self.batch(batch_id)

    def retry(self, batch_id, rows=()):
        with self.books.write() as session:
            service.retry(session, batch_id=batch_id, rows=rows, tables=self.books.tables)
        return self.run(batch_id)

    def edit(self, batch_id, row, cells):
        with self.books.write() as session:
            return edit_cells(
                session, tables=self.books.tables, batch_id=batch_id, row=row, cells=cells
            )

    def skip(self, batch_id, rows, reason="not needed"):
        with self.books.write() as session:
            return skip_rows(
                session, tables=self.books.tables, batch_id=batch_id, rows=rows, reason=reason
            )

    def batch(self, batch_id):
        with self.books.read() as session:
            return service.get_batch(session, batch_id=batch_id, tables=self.books.tables)

    def shown(self, batch_id):
        """The batch as the portal's own database tells it."""
        with self.runtime.reads() as session:
            return service.get_batch(session, batch_id=batch_id)

    def entries(self, batch_id):
        with self.books.read() as session:
            return list(entries(session, self.books.tables, self.batch(batch_id)))

    def outcomes(self, batch_id):
        """The outcome of each row."""
        return {
            row: str(entry.outcome)
            for entry in self.entries(batch_id)
            for row in range(entry.first_row, entry.last_row + 1)
        }

    def errors(self, batch_id):
        return {e.first_row: dict(e.errors) for e in self.entries(batch_id) if e.errors}

    def people(self):
        """Who there is, by code."""
        with self.database.connect() as connection:
            rows = connection.execute(select(PERSON).order_by(PERSON.c.id)).all()
        return {row.code: row for row in rows}

    def add(self, *people):
        with self.database.begin() as connection:
            connection.execute(insert(PERSON), [dict(values) for values in people])

    def change(self, statement):
        with self.database.begin() as connection:
            connection.execute(statement)

    def backup(self, batch_id):
        path = backup_path(batch_id, self.runtime.settings.data)
        return path.read_text().splitlines() if path.exists() else []


def content(rows, header=NAMES):
    """The bytes of a file of `rows`."""
    with closing(io.StringIO(newline="")) as text:
        writer = csv.writer(text)
        writer.writerow(header)
        for row in rows:
            cells = [row[name] for name in header] if isinstance(row, dict) else row
            writer.writerow(cells)
        return text.getvalue().encode()
