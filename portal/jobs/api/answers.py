"""What programs are told of jobs, and what they may ask for."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from portal.jobs.progress import Progress
from portal.jobs.views import HUNG, STOPPING, JobView, Link

LARGEST = 2**63 - 1
State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]


class JobsWanted(BaseModel):
    """Which jobs to list; `after` is `next` of the page before."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = None
    area: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[int, Field(ge=1, le=LARGEST)] | None = None


class File(BaseModel):
    """A file that a job made; `url` is where a program gets it, below the portal's address."""

    name: str
    size: int | None
    url: str


class JobSummary(BaseModel):
    """A job as lists show it. `percent` and `total` are of the stage; null where nobody knows."""

    id: str
    name: str
    kind: str
    area: str
    state: State
    hung: bool
    stopping: bool
    attempt: int
    requester: str
    stage: str
    done: int
    total: int | None
    unit: str
    percent: int | None
    message: str
    reason: str
    created: datetime
    started: datetime | None
    ended: datetime | None


class Job(JobSummary):
    """A job with all that is known of it. `place` is how many jobs of its queue come before it."""

    place: int | None
    result: dict[str, Any]
    artifacts: list[File]
    may_cancel: bool
    may_retry: bool


class JobList(BaseModel):
    """A page of jobs, the newest first; `next` is null where there are no more."""

    jobs: list[JobSummary]
    next: int | None


class Retried(BaseModel):
    """The job that now stands for what was asked; `joined` if an equal one was active already."""

    job: Job
    joined: bool


def summary_of(view: JobView) -> JobSummary:
    """What lists tell of a job."""
    return JobSummary(**_facts(view))


def job_of(view: JobView) -> Job:
    """All that is told of a job."""
    return Job(
        **_facts(view),
        place=view.place,
        result=dict(view.result),
        artifacts=[_file_of(link) for link in view.artifacts],
        may_cancel=view.may_cancel,
        may_retry=view.may_retry,
    )


def _file_of(link: Link) -> File:
    return File(name=link.label, size=link.size, url=f"/api{link.url}")


def _facts(view: JobView) -> dict[str, Any]:
    progress = view.progress or Progress()
    return {
        "id": view.id,
        "name": view.title,
        "kind": view.kind,
        "area": view.area,
        "state": view.state,
        "hung": view.shown_state == HUNG,
        "stopping": view.shown_state == STOPPING,
        "attempt": view.attempt,
        "requester": view.requester,
        "stage": progress.stage,
        "done": progress.done,
        "total": progress.total,
        "unit": progress.unit,
        "percent": progress.percent,
        "message": progress.message,
        "reason": view.reason,
        "created": view.created_at,
        "started": view.started_at,
        "ended": view.ended_at,
    }
