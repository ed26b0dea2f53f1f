"""What tests of rules share: rules of an office, files dropped by copying, looks at the folder."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from portal.accounts.permissions import Actor
from portal.assembly import KINDS, processors_for
from portal.datacenter.arrivals import note_arrivals
from portal.datacenter.rules import service
from portal.datacenter.rules.missing import look_for_missing
from portal.datacenter.rules.models import WatchRule
from portal.datacenter.rules.service import Changing, RuleWish
from portal.datacenter.rules.watching import take_arrivals
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job, JobState, Notification
from portal.jobs.runner import perform
from portal.rows.processors import Mode
from tests.datacenter.processing import Office

USERS = "name,display_name\nanna,Anna K\nbob,Bob\n"


def changing(office: Office, actor: Actor | None = None) -> Changing:
    return Changing(
        actor=actor or office.actor,
        now=office.runtime.clock(),
        zone=office.runtime.settings.zone,
        processors=processors_for(office.runtime),
        address="192.0.2.1",
    )


def wish(**values: Any) -> RuleWish:
    defaults: dict[str, Any] = {
        "name": "People",
        "pattern": "users*.csv",
        "processor": "users",
        "mode": Mode.CREATE,
        "place": 10,
    }
    return RuleWish(**defaults | values)


def make_rule(office: Office, **values: Any) -> int:
    with office.runtime.sessions.begin() as session:
        return service.create_rule(session, wish=wish(**values), changing=changing(office)).id


def rule_row(office: Office, rule_id: int) -> WatchRule:
    with office.runtime.reads() as session:
        return session.get_one(WatchRule, rule_id)


def drop(office: Office, name: str, text: str = USERS) -> Path:
    """A file as another program brings it, without asking Portal."""
    made = office.runtime.settings.data.parent / "elsewhere.csv"
    made.write_text(text)
    return Path(shutil.copy(made, office.center.storage / name))


def look(office: Office, *, engine: JobEngine | None = None) -> int:
    """What the reconciler does in a round; returns how many files were asked for."""
    note_arrivals(office.runtime)
    return take_arrivals(engine or office.engine, find=processors_for)


def look_after(office: Office, **time: float) -> int:
    """Look for missing files some time from now; returns how many alarms there were."""
    later = office.runtime.clock() + timedelta(**time)
    return look_for_missing(replace(office.runtime, clock=lambda: later))


def jobs(office: Office) -> list[Job]:
    with office.runtime.reads() as session:
        return list(session.scalars(select(Job).order_by(Job.number)))


def work(office: Office) -> None:
    """Do all that is asked for, as workers would."""
    for job in jobs(office):
        if job.state == JobState.QUEUED:
            perform(job.id, engine=JobEngine(runtime=office.runtime, kinds=KINDS))


def told(office: Office) -> list[tuple[str, str]]:
    """What the office's actor was told by rules: state and sentence, the first first."""
    query = (
        select(Notification.state, Notification.message)
        .where(Notification.user_id == office.actor.user_id, Notification.job_id.is_(None))
        .order_by(Notification.id)
    )
    with office.runtime.reads() as session:
        return [(row.state, row.message) for row in session.execute(query)]
