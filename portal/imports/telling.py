"""Imports in words and as JSON, for the shell. Pure."""

from typing import Any

from portal.imports.orders import Asked
from portal.jobs.models import JobState
from portal.jobs.views import JobView


def job_facts(job: JobView) -> dict[str, Any]:
    """The job of an import for machines; `text` is what it came to, word for word."""
    return {
        "job": job.id,
        "title": job.title,
        "state": job.state,
        "text": text_of(job),
        "result": dict(job.result),
    }


def asked_facts(asked: Asked) -> dict[str, Any]:
    """What is to be said besides of what was asked for."""
    return {
        "joined": asked.joined,
        "warning": "" if asked.earlier is None else asked.earlier.warning,
    }


def job_lines(job: JobView) -> list[str]:
    """The job for people: once it is over, what it came to."""
    if job.state not in (JobState.QUEUED, JobState.RUNNING):
        return text_of(job).split("\n")
    return [f"{job.id}\t{job.state}"]


def text_of(job: JobView) -> str:
    """What the job came to, or why it failed."""
    return str(job.result.get("text") or job.reason)
