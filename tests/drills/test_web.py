"""The web process dies between the commit of a request and the wake-up of a worker."""

import signal
import sys

from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts.permissions import SYSTEM, Role
from portal.artifacts.models import Artifact
from portal.jobs.models import Job, JobState
from portal.projects import service as projects
from portal.projects.models import Policy
from tests.browser_like import PASSWORD
from tests.drills.site import ROOT, Site


def test_an_export_asked_for_is_done_although_the_web_process_died(site: Site) -> None:
    with site.runtime.sessions.begin() as session:
        now = site.runtime.clock()
        user = accounts.create_user(
            session,
            actor=SYSTEM,
            name="ana",
            password=PASSWORD,
            roles={Role.ADMIN},
            must_change_password=False,
            now=now,
        )
        projects.create_project(
            session, actor=SYSTEM, project_id="p3", title="P3", policy=Policy.CLOSED, now=now
        )
        assert user.enabled
    asking = site.run([sys.executable, "-m", "tests.drills.web", "ana", "p3"])
    assert asking.wait(timeout=60) == -signal.SIGKILL
    job = site.read(lambda session: session.scalars(select(Job)).one())
    assert job.state == JobState.QUEUED
    site.run([sys.executable, str(ROOT / "worker.py"), "bulk"])
    site.run([sys.executable, "-m", "portal.reconcile"])
    site.wait_for(job.id, JobState.SUCCEEDED)
    assert site.read(lambda session: session.scalars(select(Artifact)).one()).job_id == job.id
