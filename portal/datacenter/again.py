"""Going on with what ended early, and doing failed rows again."""

from dataclasses import replace

from sqlalchemy.orm import Session

from portal.datacenter.approvals import check_not_waiting
from portal.datacenter.claims import refuse_claim
from portal.datacenter.earlier import check_not_repaired, earlier_results
from portal.datacenter.folders import DataCenter
from portal.datacenter.latest import CUT_SHORT
from portal.datacenter.orders import Asking, ask_to_go_on, check_may_run, name_of
from portal.datacenter.picking import PickedRun
from portal.datacenter.service import open_data_center
from portal.errors import ConflictError, NotFoundError
from portal.jobs import service as jobs
from portal.jobs.models import Job
from portal.jobs.outcomes import RETRYABLE
from portal.jobs.service import Submitted
from portal.rows import service as batches
from portal.rows.batch import Batch
from portal.rows.books import open_books
from portal.rows.undertaking import check_right
from portal.runtime import Runtime

DRY_RUN = "A dry run did nothing that could be done again; process the file instead."


def ask_again(runtime: Runtime, run: PickedRun, *, asking: Asking) -> str:
    """Queue what is left of a run, or else its failed rows, and commit; returns the job's id.

    A job that failed, was cancelled or interrupted gets a new attempt; a batch that was paused goes
    on; of one that is done, the failed rows are done again. Raises ConflictError where there is
    nothing to do or somebody is at it, ForbiddenError, and NotFoundError.
    """
    if run.job is not None and run.job.state in RETRYABLE:
        return _new_attempt(runtime, run.job, asking)
    if run.batch is None:
        raise NotFoundError("The job has no batch yet; wait until it has begun.")
    if run.batch.order.dry_run:
        raise ConflictError(DRY_RUN)
    center = open_data_center(runtime)
    if run.batch.state in CUT_SHORT:
        with runtime.sessions.begin() as session:
            return go_on(session, run.batch, center=center, asking=asking).job.id
    return _failed_rows(runtime, run.batch, center, asking)


def go_on(
    session: Session, batch: Batch, *, center: DataCenter, asking: Asking, give_up: bool = False
) -> Submitted:
    """Queue what is left of a batch, or (`give_up`) the putting aside of the rest. It flushes.

    Raises ConflictError where nothing is left or somebody is at it, and ForbiddenError.
    """
    if not give_up:
        batches.resume(session, batch_id=batch.id)
    return ask_to_go_on(session, batch=batch, center=center, asking=asking, give_up=give_up)


def _new_attempt(runtime: Runtime, job: Job, asking: Asking) -> str:
    with runtime.sessions.begin() as session:
        submitted = jobs.retry(
            session,
            kinds=asking.kinds,
            actor=asking.actor,
            job=jobs.get_job(session, kinds=asking.kinds, actor=asking.actor, job_id=job.id),
            waker=asking.waker,
            now=asking.now,
            address=asking.address,
        )
        return submitted.job.id


def _failed_rows(runtime: Runtime, batch: Batch, center: DataCenter, asking: Asking) -> str:
    """First all that could be said against it: the ledger may be in a database of its own."""
    with runtime.reads() as session:
        check_failed_rows(session, batch, center=center, asking=asking)
    books = open_books(runtime, batch.store)
    with books.write() as session:
        again = batches.retry(session, batch_id=batch.id, tables=books.tables)
    with runtime.sessions.begin() as session:
        return ask_to_go_on(session, batch=again, center=center, asking=asking).job.id


def check_failed_rows(
    session: Session, batch: Batch, *, center: DataCenter, asking: Asking
) -> None:
    """Raise ForbiddenError or ConflictError where the failed rows cannot be done again now."""
    check_may_run(asking.actor)
    check_right(asking.actor, asking.processors.get(batch.order.processor))
    check_not_waiting(session, batch)
    refuse_claim(session, name=name_of(batch))
    earlier = earlier_results(session, replace(batch, attempt=batch.attempt + 1))
    check_not_repaired(session, center=center, earlier=earlier)
