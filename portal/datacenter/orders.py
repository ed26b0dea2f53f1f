"""Asking for files to be processed. Services flush, edges commit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.audit.service import record
from portal.datacenter.approvals import check_not_waiting, withdraw
from portal.datacenter.backups import check_backup
from portal.datacenter.claims import claim_file
from portal.datacenter.earlier import check_not_repaired, earlier_results
from portal.datacenter.folders import DataCenter, DataCenterFile
from portal.datacenter.intents import OBJECT
from portal.datacenter.names import lane_of, shown_name
from portal.datacenter.steps import Folder
from portal.errors import ForbiddenError, InvalidError
from portal.jobs.kinds import Kinds
from portal.jobs.service import Subject, Submitted, submit
from portal.jobs.wake import Waker
from portal.rows import service as batches
from portal.rows.batch import Batch
from portal.rows.mapped import faults_of_order
from portal.rows.processors import Mode, Processor, Processors
from portal.rows.treatment import PLAIN, Treatment
from portal.rows.undertaking import check_right
from portal.tabular.formats import Format

PROCESS = "datacenter.process"
PLAN = "datacenter.plan"
GO_ON = "datacenter.batch"
UNDO = "datacenter.undo"
PAUSE = "datacenter.pause"
FILE = "datacenter-file"
BATCH = "datacenter-batch"
SUBJECT_LENGTH = 200
REASONS = (Folder.DELETED, Folder.GRADUATED)


@dataclass(frozen=True, kw_only=True)
class ProcessOrder:
    """What is to be done with a file: `name` on disk in `folder`, read as `format`.

    `columns[i]` is the field of column i, None for one that is left out; `treatment` says how
    cells are put right. `reason` says into which folder removed records are backed up. With
    `sha256` the file must still be that one.
    """

    name: str
    processor: str
    mode: Mode
    format: Format
    columns: tuple[str | None, ...]
    folder: Folder = Folder.ROOT
    reason: Folder = Folder.DELETED
    sha256: str = ""
    dry_run: bool = False
    treatment: Treatment = PLAIN

    def as_args(self) -> dict[str, Any]:
        """What the job keeps of it."""
        return asdict(self) | {
            "format": self.format.as_json(),
            "columns": list(self.columns),
            "treatment": self.treatment.as_json(),
        }

    @classmethod
    def from_args(cls, args: Mapping[str, Any]) -> Self:
        """The order that `as_args` gave."""
        return cls(
            **{
                **args,
                "mode": Mode(args["mode"]),
                "format": Format.from_json(args["format"]),
                "columns": tuple(args["columns"]),
                "folder": Folder(args["folder"]),
                "reason": Folder(args["reason"]),
                "treatment": Treatment.from_json(args.get("treatment", {})),
            }
        )


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks, when and from where, and what jobs are made with."""

    actor: Actor
    now: datetime
    kinds: Kinds
    waker: Waker
    processors: Processors
    address: str = ""


def ask_to_process(
    session: Session, *, order: ProcessOrder, center: DataCenter, asking: Asking
) -> Submitted:
    """Queue the processing of a file, or its dry run; asking twice for the very same joins the job.

    Raises ForbiddenError, NotFoundError, InvalidError (the mapping is not enough) or ConflictError
    (another job works on the file).
    """
    file = center.get_file(order.name, order.folder)
    processor = asking.processors.get(order.processor)
    if order.folder in REASONS:
        actor, processors = asking.actor, asking.processors
        check_backup(session, name=order.name, actor=actor, processors=processors)
    check_order(order, processor, actor=asking.actor)
    kind = asking.kinds.get(PLAN if order.dry_run else PROCESS)
    submitted = submit(
        session,
        kind=kind,
        actor=asking.actor,
        args=order.as_args(),
        title=_title(order, file, processor),
        subject=Subject(kind=FILE, id=order.name[:SUBJECT_LENGTH]),
        waker=asking.waker,
        now=asking.now,
        lane=None if order.dry_run else lane_of(order.name)[:255],
        exactly=True,
    )
    if not submitted.joined and not order.dry_run:
        claim_file(session, name=order.name, job_id=submitted.job.id, now=asking.now)
        _record(session, asking, "datacenter.process", order.name, _told(order))
    return submitted


def ask_to_go_on(
    session: Session,
    *,
    batch: Batch,
    center: DataCenter,
    asking: Asking,
    give_up: bool = False,
) -> Submitted:
    """Queue what is left of a batch: the rows after a pause or a cancel, or rows to be retried.

    `give_up`: nothing more is done; rows without a fate go to the pending file. Raises
    ForbiddenError, and ConflictError where a second person has to approve it first.
    """
    check_may_run(asking.actor)
    check_right(asking.actor, asking.processors.get(batch.order.processor))
    if give_up:
        withdraw(session, batch)
    else:
        check_not_waiting(session, batch)
    check_not_repaired(session, center=center, earlier=earlier_results(session, batch))
    word = "Retry failing rows of" if batch.retrying else "Go on with"
    word = "Put aside the rest of" if give_up else word
    submitted = _submit_for(session, batch, asking, kind=GO_ON, word=word, give_up=give_up)
    if not submitted.joined:
        claim_file(session, name=name_of(batch), job_id=submitted.job.id, now=asking.now)
    return submitted


def ask_to_undo(session: Session, *, batch: Batch, asking: Asking) -> Submitted:
    """Queue the undoing of a whole batch."""
    check_may_run(asking.actor)
    check_right(asking.actor, asking.processors.get(batch.order.processor))
    return _submit_for(session, batch, asking, kind=UNDO, word="Undo")


def ask_to_pause(session: Session, *, batch: Batch, asking: Asking) -> None:
    """Let a batch stop at its next safe point; whoever may process such a file may pause it.

    Raises ForbiddenError, and ConflictError where the batch neither waits nor runs.
    """
    check_may_run(asking.actor)
    order = batch.order
    if not asking.processors.allows(asking.actor, order.processor, order.mode):
        raise ForbiddenError("You may not process such records, so you may not pause the batch.")
    batches.pause(session, batch_id=batch.id)
    _record(session, asking, PAUSE, order.owner, {"batch": batch.id})


def check_order(order: ProcessOrder, processor: Processor, *, actor: Actor) -> None:
    """Raise ForbiddenError or InvalidError where `actor` may not ask for it, or it cannot be."""
    if order.dry_run:
        if not actor.may(Permission.DATACENTER_EDIT):
            raise ForbiddenError("You may not try out files of the data centre.")
    else:
        check_may_run(actor)
    check_right(actor, processor)
    if order.mode not in processor.modes:
        allowed = " or ".join(processor.modes)
        raise InvalidError(f"{processor.title} can only be processed in mode {allowed}.")
    if faults := faults_of_order(processor, order, kind=order.format.kind):
        raise InvalidError(" ".join(faults))


def check_may_run(actor: Actor) -> None:
    """Raise ForbiddenError for who may not process files."""
    if not actor.may(Permission.IMPORTS_RUN):
        raise ForbiddenError("You may not process files of the data centre.")


def name_of(batch: Batch) -> str:
    """The name on disk of the file that a batch is about."""
    return batch.order.owner.rpartition("/")[2]


def _told(order: ProcessOrder) -> dict[str, Any]:
    """What the log keeps of an order; what is typed of cells, only by the names of fields."""
    treatment = order.treatment
    treated = {*treatment.rules, *treatment.constants, *treatment.empty}
    return order.as_args() | {"treatment": sorted(treated)}


def _title(order: ProcessOrder, file: DataCenterFile, processor: Processor) -> str:
    done = "Dry run of" if order.dry_run else "Process"
    return f"{done} {file.shown} ({processor.title}, {order.mode})"


def _submit_for(
    session: Session, batch: Batch, asking: Asking, *, kind: str, word: str, **args: Any
) -> Submitted:
    submitted = submit(
        session,
        kind=asking.kinds.get(kind),
        actor=asking.actor,
        args={"batch_id": batch.id, **args},
        title=f"{word} {shown_name(batch.order.file_name)}",
        subject=Subject(kind=BATCH, id=batch.id),
        waker=asking.waker,
        now=asking.now,
        lane=lane_of(name_of(batch))[:255],
    )
    if not submitted.joined:
        _record(session, asking, kind, batch.order.owner, {"batch": batch.id, **args})
    return submitted


def _record(
    session: Session, asking: Asking, action: str, about: str, detail: dict[str, Any]
) -> None:
    record(
        session,
        actor=asking.actor,
        action=action,
        object_kind=OBJECT,
        object_id=about,
        now=asking.now,
        address=asking.address,
        detail=detail,
    )
