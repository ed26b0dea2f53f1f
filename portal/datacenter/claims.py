"""Claims: a file that a job works on is nobody else's until that job has ended."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.datacenter.models import DataCenterClaim
from portal.datacenter.names import shown_name, subject_of
from portal.datacenter.place import lock_place
from portal.errors import ConflictError
from portal.jobs.models import ACTIVE, Job


def claim_file(session: Session, *, name: str, job_id: str, now: datetime) -> None:
    """Claim the file called `name` on disk, and what is pending of it, for a job.

    Claiming twice for the same job is fine. Raises ConflictError where another active job has it.
    """
    lock_place(session)
    subject = subject_of(name)
    claim = _find(session, subject)
    if claim is None:
        claim = DataCenterClaim(subject=subject)
        session.add(claim)
    elif claim.job_id != job_id and _is_active(session, claim.job_id):
        raise _taken(claim)
    claim.job_id, claim.name, claim.at = job_id, name, now
    session.flush()


def release_file(session: Session, *, name: str, job_id: str) -> None:
    """Give up the claim of a job; one that it does not have is no error."""
    session.execute(
        delete(DataCenterClaim).where(
            DataCenterClaim.subject == subject_of(name), DataCenterClaim.job_id == job_id
        )
    )


def refuse_claim(session: Session, *, name: str) -> None:
    """Raise ConflictError where an active job works on this file."""
    claim = _find(session, subject_of(name))
    if claim is not None and _is_active(session, claim.job_id):
        raise _taken(claim)


def refuse_any_claim(session: Session) -> None:
    """Raise ConflictError where an active job works on any file."""
    claim = session.scalar(
        select(DataCenterClaim)
        .join(Job, Job.id == DataCenterClaim.job_id)
        .where(Job.state.in_(ACTIVE))
        .limit(1)
    )
    if claim is not None:
        raise _taken(claim)


def claims_of(session: Session) -> dict[str, str]:
    """The ids of active jobs by the subject of the file that each works on."""
    rows = session.execute(
        select(DataCenterClaim.subject, DataCenterClaim.job_id)
        .join(Job, Job.id == DataCenterClaim.job_id)
        .where(Job.state.in_(ACTIVE))
    )
    return {row.subject: row.job_id for row in rows}


def forget_ended(session: Session) -> None:
    """Forget claims of jobs that have ended."""
    active = select(Job.id).where(Job.state.in_(ACTIVE))
    session.execute(delete(DataCenterClaim).where(DataCenterClaim.job_id.not_in(active)))


def _find(session: Session, subject: str) -> DataCenterClaim | None:
    return session.scalar(select(DataCenterClaim).where(DataCenterClaim.subject == subject))


def _is_active(session: Session, job_id: str) -> bool:
    found = session.scalar(select(Job.id).where(Job.id == job_id, Job.state.in_(ACTIVE)))
    return found is not None


def _taken(claim: DataCenterClaim) -> ConflictError:
    return ConflictError(
        f"{shown_name(claim.name)} is being processed; try again when that job has ended."
    )
