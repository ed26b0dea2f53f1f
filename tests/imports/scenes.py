"""What tests of imports share: tables, files, people, and a worker that does the jobs."""

import io
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select, update

from portal.accounts import service as accounts
from portal.accounts.actors import actor_of
from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.assembly import KINDS, processors_for
from portal.imports import orders
from portal.imports.files import StoredFile, store_file
from portal.imports.orders import Asked, ImportOrder
from portal.jobs import service as jobs
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.jobs.wake import RedisWaker
from portal.rows import ledger
from portal.rows.batch import Batch, Entry
from portal.rows.batch_kinds import Wish
from portal.rows.books import open_books
from portal.rows.models import PORTAL_LEDGER
from portal.rows.service import get_batch
from portal.runtime import Runtime
from portal.tables.catalog import catalog_of

PASSWORD = "seven brown otters"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A portal with a tables database, and who imports there."""

    runtime: Runtime
    actor: Actor = SYSTEM

    def as_(self, actor: Actor) -> "Desk":
        return replace(self, actor=actor)

    def execute(self, *statements: str) -> None:
        with self.runtime.tables.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        catalog_of(self.runtime).refresh()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.runtime.tables.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def wish(self) -> Wish:
        return Wish(
            actor=self.actor,
            now=self.runtime.clock(),
            kinds=KINDS,
            waker=RedisWaker(self.runtime.redis),
            processors=processors_for(self.runtime),
            runtime=self.runtime,
        )

    def store(self, name: str, text: str | bytes) -> StoredFile:
        content = text if isinstance(text, bytes) else text.encode()
        return store_file(self.runtime, stream=io.BytesIO(content), name=name, actor=self.actor)

    def ask(self, name: str, text: str | bytes, *, table: str, **more: Any) -> Asked:
        order = ImportOrder.of(self.store(name, text), table=table, **more)
        return self.ask_for(order)

    def ask_for(self, order: ImportOrder) -> Asked:
        with self.runtime.sessions.begin() as session:
            return orders.ask_to_import(session, order=order, wish=self.wish())

    def run(self, name: str, text: str | bytes, *, table: str, **more: Any) -> Job:
        """Import a file, as a worker would do it."""
        return self.perform(self.ask(name, text, table=table, **more))

    def perform(self, asked: Asked) -> Job:
        perform(asked.job.id, engine=JobEngine(runtime=self.runtime, kinds=KINDS))
        return self.job(asked.job.id)

    def retry(self, job: Job) -> Job:
        """Do a job once more that failed, as somebody asks for on its page."""
        with self.runtime.sessions.begin() as session:
            jobs.retry(
                session,
                kinds=KINDS,
                actor=self.actor,
                job=session.get_one(Job, job.number),
                waker=RedisWaker(self.runtime.redis),
                now=self.runtime.clock(),
            )
        perform(job.id, engine=JobEngine(runtime=self.runtime, kinds=KINDS))
        return self.job(job.id)

    def undo(self, job: Job) -> Job:
        batch = self.batch(job)
        with self.runtime.sessions.begin() as session:
            asked = orders.ask_to_undo(session, batch=batch, wish=self.wish())
        return self.perform(asked)

    def begin(self, job_id: str) -> None:
        """Let an import that was done look as it does while its rows are being done."""
        batch = self.batch(self.job(job_id)).id
        with self.runtime.sessions.begin() as session:
            its = Job.id == job_id
            session.execute(update(Job).where(its).values(state="running", ended_at=None))
            table = PORTAL_LEDGER.batch
            session.execute(update(table).where(table.c.id == batch).values(state="running"))

    def job(self, job_id: str) -> Job:
        with self.runtime.reads() as session:
            return session.scalars(select(Job).where(Job.id == job_id)).one()

    def batch(self, job: Job) -> Batch:
        with self.runtime.reads() as session:
            return get_batch(session, batch_id=str(job.result["batch"]))

    def entries(self, job: Job) -> list[Entry]:
        batch = self.batch(job)
        books = open_books(self.runtime, batch.store)
        with books.read() as session:
            there = ledger.find_batch(session, books.tables, batch.id)
            assert there is not None
            return list(ledger.entries(session, books.tables, there))

    def person(self, name: str, *roles: Role) -> "Desk":
        with self.runtime.sessions.begin() as session:
            user = accounts.create_user(
                session,
                actor=SYSTEM,
                name=name,
                roles=roles,
                password=PASSWORD,
                must_change_password=False,
                now=self.runtime.clock(),
            )
            return self.as_(actor_of(user))


def succeeded(job: Job) -> str:
    """The text of a job that went well."""
    assert job.state == JobState.SUCCEEDED, job.reason
    return str(job.result["text"])


def failed(job: Job) -> str:
    """What a job told that did not; the reason is its first line."""
    assert job.state == JobState.FAILED, job.result
    text = str(job.result.get("text") or job.reason)
    assert text.split("\n")[0] == job.reason
    return text
