"""Folders of attempts that nobody removed: their machine went down, or their job was given up."""

import shutil

from sqlalchemy import select

from portal.db import db_now
from portal.jobs.models import ACTIVE, Job
from portal.jobs.work import work_folder
from portal.runtime import Runtime

QUIET_SECONDS = 3600.0
AT_ONCE = 500


def remove_leftovers(runtime: Runtime) -> int:
    """Remove the work folders of jobs that ended over an hour ago; returns how many."""
    folder = work_folder(runtime)
    found = sorted(folder.iterdir())[:AT_ONCE] if folder.is_dir() else []
    jobs = {entry: entry.name.partition(".")[0] for entry in found}
    with runtime.reads() as session:
        wanted = (Job.state.in_(ACTIVE)) | (Job.ended_at > db_now(-QUIET_SECONDS))
        kept = set(session.scalars(select(Job.id).where(Job.id.in_(jobs.values()), wanted)))
    over = [entry for entry, job_id in jobs.items() if job_id not in kept]
    for entry in over:
        shutil.rmtree(entry, ignore_errors=True)
    return len(over)
