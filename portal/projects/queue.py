"""The export queue as the seed tells of it: one run visits all that waits, then says it is through.

Source: the seed "Exporting Project Content". The texts are kept word for word.
"""

import logging

from sqlalchemy import select

from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.projects.exports import KIND
from portal.projects.tasks import EXPORT
from portal.runtime import Runtime

END = "Reached end of project export job queue."
FAILURE = "Failure in export of project '%s': %s"

log = logging.getLogger("portal.projects.export")


def drain_exports(runtime: Runtime) -> list[str]:
    """Perform the queued exports one by one, oldest first; returns the ids of exported projects."""
    engine = JobEngine(runtime=runtime, kinds=Kinds((EXPORT,)))
    exported = []
    for job_id, project_id in queued_exports(runtime):
        state = perform(job_id, engine=engine)
        if state is JobState.SUCCEEDED:
            exported.append(project_id)
        elif state is JobState.FAILED:
            log.error(FAILURE, project_id, _reason(runtime, job_id))
    log.info(END)
    return exported


def queued_exports(runtime: Runtime) -> list[tuple[str, str]]:
    """Job id and project id of every export that waits, oldest first."""
    with runtime.reads() as session:
        rows = session.execute(
            select(Job.id, Job.subject_id)
            .where(Job.kind == KIND, Job.state == JobState.QUEUED)
            .order_by(Job.number)
        )
        return [(row.id, row.subject_id) for row in rows]


def _reason(runtime: Runtime, job_id: str) -> str:
    with runtime.reads() as session:
        return session.scalars(select(Job.reason).where(Job.id == job_id)).one()
