"""What the dashboard shows: what runs, what needs attention, what happened today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.jobs import queries, views
from portal.jobs.concerns import Concern
from portal.jobs.models import JobState
from portal.jobs.outbox import GivenUp, count_given_up, given_up
from portal.jobs.presence import LiveWorker, live_workers
from portal.jobs.queries import JobFilter
from portal.jobs.status import HUNG_AFTER
from portal.jobs.views import JobView
from portal.runtime import Runtime

LATELY = timedelta(hours=24)
RECENT = 8


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """The facts of one look. `workers` is None where Redis does not answer."""

    active: Sequence[JobView]
    active_count: int
    troubled: Sequence[JobView]
    troubled_count: int
    recent: Sequence[JobView]
    ended: Mapping[str, int]
    workers: Sequence[LiveWorker] | None
    unsent: Sequence[GivenUp]
    unsent_count: int
    concerns: Sequence[Concern]
    sees_all: bool

    @property
    def ended_count(self) -> int:
        """How many jobs ended lately."""
        return sum(self.ended.values())

    @property
    def succeeded_percent(self) -> int | None:
        """How many of them succeeded, None where none ended."""
        if not self.ended_count:
            return None
        return self.ended.get(JobState.SUCCEEDED, 0) * 100 // self.ended_count

    @property
    def attention_count(self) -> int:
        """How many jobs, messages and other things want attention, listed or not."""
        return self.troubled_count + self.unsent_count + len(self.concerns)

    @property
    def unlisted_count(self) -> int:
        """How many of them are not in the lists, which have an end."""
        listed = len(self.troubled) + len(self.unsent) + len(self.concerns)
        return self.attention_count - listed

    @property
    def busy(self) -> int:
        """How many of the workers have a job."""
        return sum(worker.job_id is not None for worker in self.workers or ())

    @property
    def summary(self) -> str:
        """The state of things in one sentence."""
        if self.workers is None:
            return "The queue service is away; jobs wait, nothing is lost."
        if not self.workers:
            return "No worker is running; jobs wait until one starts."
        if self.troubled_count:
            count = self.troubled_count
            return "One job needs attention." if count == 1 else f"{count} jobs need attention."
        return "Everything works."


def look(
    session: Session, *, runtime: Runtime, actor: Actor, concerns: Sequence[Concern] = ()
) -> Dashboard:
    """Everything that the dashboard shows to `actor`; `concerns` are what areas offer of it."""
    now = runtime.clock()
    every = actor.may(Permission.JOBS_VIEW_ALL)
    troubled, count = queries.troubled_rows(
        session, actor=actor, since=now - LATELY, hung_since=now - HUNG_AFTER
    )
    recent = queries.list_jobs(session, actor=actor, wanted=JobFilter(all_users=every), size=RECENT)
    return Dashboard(
        active=views.view_rows(queries.active_rows(session, actor=actor), runtime=runtime),
        active_count=queries.count_active(session, actor=actor),
        troubled=views.view_rows(troubled, runtime=runtime),
        troubled_count=count,
        recent=views.view_rows(recent.rows, runtime=runtime),
        ended=queries.count_ended(session, actor=actor, since=now - LATELY),
        workers=_workers(runtime),
        unsent=given_up(session, limit=RECENT) if every else (),
        unsent_count=count_given_up(session) if every else 0,
        concerns=concerns,
        sees_all=every,
    )


def _workers(runtime: Runtime) -> Sequence[LiveWorker] | None:
    try:
        return live_workers(runtime.redis)
    except RedisError:
        return None
