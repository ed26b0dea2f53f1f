"""Batches of the data centre as its pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.datacenter.approvals import SECOND, extent_of, find_approval, may_approve
from portal.datacenter.intents import find_intent
from portal.datacenter.latest import CUT_SHORT
from portal.datacenter.orders import BATCH, GO_ON, PLAN, PROCESS, UNDO, Asking, ProcessOrder
from portal.datacenter.returning import occasion_of_return, said_of
from portal.datacenter.runs import KIND
from portal.errors import NotFoundError
from portal.jobs.models import Job
from portal.jobs.service import get_job
from portal.jobs.views import JobView, view_job
from portal.rows.batch import Batch, BatchState, Entry, Outcome
from portal.rows.batch_row import batch_of
from portal.rows.copies import find_batch_id
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Mode
from portal.rows.samples import Change, samples_of, skipped_of
from portal.rows.service import PAUSING
from portal.rows.showing import may_see_records
from portal.runtime import Runtime

KINDS = (PROCESS, PLAN, GO_ON, UNDO)
LEFT = "Rows are left. {} does them; put the rest aside keeps them in a pending file instead."
WHOLE = "All rows are done: the file and its good rows went to Finished."
HALF = (
    "The good rows went to Finished, the file to Unfinished, the failing rows to a pending file "
    "under Waiting. Repair them here, or download that file, correct it and upload it again."
)
WAITING = "Waiting for a second person with the right to approve it."
HIDDEN = "What stands in these records is shown to those who may process them."


@dataclass(frozen=True, kw_only=True)
class SecondPerson:
    """What a removal would take, whether it still waits for somebody, and who approved it.

    `may_approve` says it of the one who looks.
    """

    taken: str
    waits: bool
    by: str = ""
    at: datetime | None = None
    may_approve: bool = False


@dataclass(frozen=True, kw_only=True)
class Run:
    """A job and the batch it works on; None as long as the file is being copied.

    With `hides_records` what stood in records is not for the one who looks. `titles` are those of
    the processor's fields by their names.
    """

    job: JobView
    batch: Batch | None
    changes: tuple[Change, ...] = ()
    failing: tuple[Entry, ...] = ()
    skipped: tuple[Entry, ...] = ()
    processor_title: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    order: ProcessOrder | None = None
    file_said: str = ""
    hides_records: bool = False
    second: SecondPerson | None = None

    @property
    def is_cut_short(self) -> bool:
        """Whether rows are left that nobody has done yet."""
        batch = self.batch
        return batch is not None and not self.job.active and batch.state in CUT_SHORT

    @property
    def may_go_on(self) -> bool:
        """Whether the batch can go on by itself; a retry of its job would do the same."""
        return self.is_cut_short and not self.job.may_retry and not self.waits_for_second

    @property
    def waits_for_second(self) -> bool:
        """Whether nothing is done before a second person approves it."""
        return self.is_cut_short and self.second is not None and self.second.waits

    @property
    def standing(self) -> str:
        """Where the batch stands and where its file is, for people; empty if nothing is to say."""
        batch = self.batch
        if batch is None or batch.state is BatchState.UNDONE:
            return ""
        if self.job.active:
            return PAUSING if batch.pause_asked else ""
        if self.second is not None and self.waits_for_second:
            asks = SECOND if self.second.may_approve else WAITING
            return f"{self.second.taken} {asks}"
        if self.is_cut_short:
            word = "Go on" if self.may_go_on else "Retry"
            return "" if batch.order.dry_run else LEFT.format(word)
        of_root = not batch.order.dry_run and "/" not in batch.order.owner
        if not of_root or batch.state is not BatchState.DONE:
            return ""
        return HALF if batch.counts.failed else WHOLE

    @property
    def hidden(self) -> str:
        """What to say where changes are not shown; else nothing."""
        updated = self.batch is not None and self.batch.counts.updated > 0
        return HIDDEN if self.hides_records and updated else ""

    @property
    def shown_counts(self) -> list[str]:
        """The outcomes that the batch's mode can have, and whatever else it had."""
        batch = self.batch
        if batch is None:
            return []
        usual = {
            Mode.CREATE: ("created",),
            Mode.UPDATE: ("updated", "unchanged"),
            Mode.UPSERT: ("created", "updated", "unchanged"),
            Mode.REMOVE: ("removed",),
        }
        named = (*usual[batch.order.mode], "failed")
        return [
            str(outcome)
            for outcome in Outcome
            if outcome in named or (outcome != Outcome.BLANK and getattr(batch.counts, outcome))
        ]

    @property
    def may_undo(self) -> bool:
        """Whether there is an effect that can be taken back."""
        batch = self.batch
        if batch is None or self.job.active or batch.order.dry_run:
            return False
        undone = batch.state in (BatchState.UNDONE, BatchState.UNDOING)
        counts = batch.counts
        return not undone and counts.created + counts.updated + counts.removed > 0


def list_batches(session: Session, *, before: int = 0, limit: int = 50) -> list[Batch]:
    """Batches of the data centre, the newest first, those below number `before`."""
    table = PORTAL_LEDGER.batch
    query = select(table).where(table.c.kind == KIND)
    if before:
        query = query.where(table.c.number < before)
    rows = session.execute(query.order_by(table.c.number.desc()).limit(limit))
    return [batch_of(row) for row in rows]


def view_run(session: Session, *, asking: Asking, runtime: Runtime, job_id: str) -> Run:
    """A job of the data centre with its batch; raises NotFoundError for any other job."""
    job = get_job(session, kinds=asking.kinds, actor=asking.actor, job_id=job_id)
    if job.kind not in KINDS:
        raise NotFoundError("There is no such job in the data centre.")
    view = view_job(session, runtime=runtime, kinds=asking.kinds, actor=asking.actor, job=job)
    batch = find_batch_of(session, job)
    if batch is None:
        return Run(job=view, batch=None)
    changes, failing = samples_of(runtime, batch)
    processor = asking.processors.get(batch.order.processor)
    shown = may_see_records(
        asking.processors, asking.actor, batch.order.processor, owner_id=batch.actor_id
    )
    return Run(
        job=view,
        batch=batch,
        changes=changes if shown else (),
        failing=failing,
        skipped=skipped_of(runtime, batch),
        hides_records=not shown,
        processor_title=processor.title,
        titles={one.name: one.title or one.name for one in processor.fields},
        order=ProcessOrder.from_args(job.args) if job.kind in (PROCESS, PLAN) else None,
        file_said=_file_said(session, batch),
        second=_second_person(session, batch, asking),
    )


def _second_person(session: Session, batch: Batch, asking: Asking) -> SecondPerson | None:
    approval = find_approval(session, batch)
    if approval is None:
        return None
    return SecondPerson(
        taken=extent_of(approval).told(asking.processors.get(batch.order.processor)),
        waits=approval.at is None,
        by=approval.by_name,
        at=approval.at,
        may_approve=may_approve(asking.actor, batch, processors=asking.processors),
    )


def _file_said(session: Session, batch: Batch) -> str:
    """What became of the file of a batch that was undone."""
    if batch.state is not BatchState.UNDONE:
        return ""
    returned = find_intent(session, occasion=occasion_of_return(batch))
    return said_of(returned) if returned is not None else ""


def find_batch_of(session: Session, job: Job) -> Batch | None:
    """The batch that a job of the data centre works on; None as long as there is none."""
    table = PORTAL_LEDGER.batch
    known = job.subject_id if job.subject_kind == BATCH else job.result.get("batch")
    batch_id = known or find_batch_id(session, job_id=job.id)
    row = session.execute(select(table).where(table.c.id == batch_id)).one_or_none()
    return None if row is None else batch_of(row)
