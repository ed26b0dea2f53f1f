"""What tests of processing share: files taken in, mapped, processed by real jobs."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import update

from portal.accounts import service as accounts
from portal.accounts.actors import actor_of
from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.assembly import KINDS, processors_for
from portal.datacenter import orders
from portal.datacenter.folders import DataCenter
from portal.datacenter.looking import look
from portal.datacenter.orders import Asking, ProcessOrder
from portal.datacenter.service import open_data_center
from portal.datacenter.steps import FOLDERS, Folder
from portal.datacenter.uploads import Accepted, Upload, accept_upload
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, JobAttempt, JobState
from portal.jobs.runner import perform
from portal.jobs.wake import RedisWaker
from portal.rows import editing
from portal.rows import service as batches
from portal.rows.batch import Batch
from portal.rows.books import open_books
from portal.rows.looking import Wish
from portal.rows.processors import Mode
from portal.rows.service import get_batch
from portal.runtime import Runtime

PASSWORD = "seven brown otters"


@dataclass(frozen=True, kw_only=True)
class Office:
    """A data centre, who works there, and the engine that does his jobs."""

    runtime: Runtime
    actor: Actor

    @property
    def engine(self) -> JobEngine:
        return JobEngine(runtime=self.runtime, kinds=KINDS)

    @property
    def center(self) -> DataCenter:
        return open_data_center(self.runtime)

    def asking(self) -> Asking:
        return Asking(
            actor=self.actor,
            now=self.runtime.clock(),
            kinds=KINDS,
            waker=RedisWaker(self.runtime.redis),
            processors=processors_for(self.runtime),
        )

    def put(self, name: str, text: str | bytes, *, replace: bool = False) -> Accepted:
        content = text if isinstance(text, bytes) else text.encode()
        upload = Upload(name=name, stream=io.BytesIO(content), size=len(content), replace=replace)
        return accept_upload(self.runtime, upload=upload, actor=self.actor)

    def order(
        self,
        name: str,
        processor: str,
        mode: Mode = Mode.CREATE,
        *,
        folder: Folder = Folder.ROOT,
        **more: Any,
    ) -> ProcessOrder:
        """The order that the file's page would make of what is proposed."""
        asking = self.asking()
        seen = look(
            self.center.get_file(name, folder),
            wish=Wish(processor=processor, mode=str(mode)),
            processors=[asking.processors.get(processor)],
        )
        return ProcessOrder(
            name=name,
            folder=folder,
            processor=processor,
            mode=mode,
            format=seen.format,
            columns=seen.mapping,
            **more,
        )

    def ask(self, order: ProcessOrder) -> str:
        with self.runtime.sessions.begin() as session:
            asking = self.asking()
            return orders.ask_to_process(
                session, order=order, center=self.center, asking=asking
            ).job.id

    def process(self, name: str, processor: str, mode: Mode = Mode.CREATE, **more: Any) -> Batch:
        return self.finish(self.ask(self.order(name, processor, mode, **more)))

    def finish(self, job_id: str) -> Batch:
        """Do the job as a worker would; it must succeed."""
        state = perform(job_id, engine=self.engine)
        job = self.job(job_id)
        assert state is JobState.SUCCEEDED, job.reason
        return self.batch(str(job.result["batch"]))

    def job(self, job_id: str) -> Job:
        with self.runtime.reads() as session:
            return session.query(Job).filter_by(id=job_id).one()

    def batch(self, batch_id: str) -> Batch:
        with self.runtime.reads() as session:
            return get_batch(session, batch_id=batch_id)

    def lying(self) -> dict[str, list[str]]:
        """The names of all files by folder, the logs left out."""
        root = self.center.storage
        found = {"": names_in(root)}
        return found | {name: names_in(root / name) for name in FOLDERS if name != Folder.LOGS}

    def text(self, place: str) -> str:
        return (self.center.storage / place).read_bytes().decode()


def repair(office: Office, batch_id: str, *, row: int, cells: dict[int, str]) -> Batch:
    """Type over cells of a failing row and do all failing rows again."""
    batch = office.batch(batch_id)
    books = open_books(office.runtime, batch.store)
    with books.write() as session:
        editing.edit_cells(session, tables=books.tables, batch_id=batch_id, row=row, cells=cells)
        batches.retry(session, batch_id=batch_id, tables=books.tables)
    with office.runtime.sessions.begin() as session:
        batch = batches.get_batch(session, batch_id=batch_id)
        job = orders.ask_to_go_on(
            session, batch=batch, center=office.center, asking=office.asking()
        ).job
    return office.finish(job.id)


def fail(office: Office, job_id: str) -> None:
    """Let the job have ended badly, as when the portal fell over at its very end."""
    with office.runtime.sessions.begin() as session:
        failed = {"state": JobState.FAILED, "result": {}}
        session.execute(update(Job).where(Job.id == job_id).values(**failed))
        session.execute(
            update(JobAttempt).where(JobAttempt.job_id == job_id).values(state=JobState.FAILED)
        )


def names_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))


def open_office(runtime: Runtime, *roles: Role, name: str = "berta") -> Office:
    with runtime.sessions.begin() as session:
        user = accounts.create_user(
            session,
            actor=SYSTEM,
            name=name,
            roles=roles,
            password=PASSWORD,
            must_change_password=False,
            now=runtime.clock(),
        )
        return Office(runtime=runtime, actor=actor_of(user))
