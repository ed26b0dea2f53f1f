"""Compiling an attempt's statements before any fork.

A child would otherwise compile them anew for every job, which costs more than all its work.
"""

import contextlib
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.actors import find_actor
from portal.db import db_now
from portal.jobs import ledger, outcomes
from portal.jobs.engine import JobEngine
from portal.jobs.ledger import Claim, LeaseLostError
from portal.jobs.models import JobState
from portal.jobs.notices import find_announcement
from portal.jobs.outcomes import End

_NOBODY = Claim(
    job_id="", kind="", args={}, queue="", attempt=0, token=0, lane=None, requester_id=None
)
_END = End(state=JobState.SUCCEEDED, result={}, progress={})


def rehearse(engine: JobEngine) -> None:
    """Run the statements of an attempt on no job; nothing is met, nothing is changed."""
    with engine.runtime.sessions() as session:
        ledger.claim(session, job_id="", worker="", lease_seconds=0)
        ledger.renew(session, _NOBODY, lease_seconds=0)
        _note(session, state=JobState.RUNNING, token=0, worker="", started_at=db_now())
        _note(session, state=_END.state, reason="", traceback="", ended_at=db_now())
        with contextlib.suppress(LeaseLostError):
            ledger.fence(session, _NOBODY)
        with contextlib.suppress(LeaseLostError):
            outcomes.finish(session, _NOBODY, _END)
        find_announcement(session, "")
        session.rollback()
    with engine.runtime.reads() as session:
        find_actor(session, 0)


def _note(session: Session, **values: Any) -> None:
    ledger.note_attempt(session, "", 0, **values)
