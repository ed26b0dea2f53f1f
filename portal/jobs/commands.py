"""`portal jobs`: list, show, cancel and retry jobs; `follow` watches one until it ends."""

import json
import threading
from pathlib import Path
from typing import Any

import click
from redis.exceptions import RedisError
from sqlalchemy import select

from portal.artifacts.models import Artifact
from portal.artifacts.service import artifact_path
from portal.files import CHUNK, written_aside
from portal.jobs import queries, service, views
from portal.jobs.models import JobState
from portal.jobs.presence import live_workers
from portal.jobs.progress import Progress
from portal.jobs.queries import JobFilter
from portal.jobs.views import JobView
from portal.runtime import Runtime

LOOK_SECONDS = 0.5
BAR = 30
NO_WORKER = "No worker is running, so the job waits; start the portal with `portal up`."


@click.group()
def jobs() -> None:
    """List, show, cancel and retry jobs."""


@jobs.command("list")
@click.option("--state", type=click.Choice([str(state) for state in JobState]))
@click.option("--area", default="", help="Only jobs of this area.")
@click.option("--text", default="", help="Only jobs whose title or subject contains this.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@click.pass_obj
def list_command(shell: Any, state: str | None, area: str, text: str, limit: int) -> None:
    """Show the newest jobs that you may see."""
    wanted = JobFilter(all_users=True, state=state or "", area=area, text=text)
    with shell.runtime.reads() as session:
        found = queries.list_jobs(session, actor=shell.actor, wanted=wanted, size=limit)
        shown = views.view_rows(found.rows, runtime=shell.runtime)
    if shell.json:
        click.echo(json.dumps([describe(job) for job in shown], indent=2))
    elif not shown:
        click.echo("There are no such jobs.")
    else:
        for job in shown:
            click.echo(f"{job.id[:8]}  {job.word:<11}  {_percent(job.progress):>4}  {job.title}")


@jobs.command("show")
@click.argument("job_id", metavar="ID")
@click.pass_obj
def show_command(shell: Any, job_id: str) -> None:
    """Show one job; ID may be a unique beginning of its id."""
    _print(shell, look(shell, job_id))


@jobs.command("cancel")
@click.argument("job_id", metavar="ID")
@click.pass_obj
def cancel_command(shell: Any, job_id: str) -> None:
    """Cancel a queued job, or ask a running one to stop at its next safe point."""
    runtime: Runtime = shell.runtime
    with runtime.sessions.begin() as session:
        job = service.get_job(session, kinds=shell.kinds, actor=shell.actor, job_id=job_id)
        service.cancel(
            session,
            kinds=shell.kinds,
            actor=shell.actor,
            job=job,
            settings=runtime.settings,
            waker=shell.waker,
            now=runtime.clock(),
            address=shell.address,
        )
        full_id = job.id
    _print(shell, look(shell, full_id))


@jobs.command("retry")
@click.argument("job_id", metavar="ID")
@click.option("--wait", is_flag=True, help="Follow the job until it ends; exit 1 if it fails.")
@click.pass_context
def retry_command(context: click.Context, job_id: str, wait: bool) -> None:
    """Make a new attempt of a job that failed, was cancelled or interrupted."""
    shell: Any = context.obj
    runtime: Runtime = shell.runtime
    with runtime.sessions.begin() as session:
        submitted = service.retry(
            session,
            kinds=shell.kinds,
            actor=shell.actor,
            job=service.get_job(session, kinds=shell.kinds, actor=shell.actor, job_id=job_id),
            waker=shell.waker,
            now=runtime.clock(),
            address=shell.address,
        )
        full_id, joined = submitted.job.id, submitted.joined
    if joined and not shell.json:
        click.echo("The same was asked for already; this is that job.", err=True)
    code = follow(runtime, full_id) if wait else 0
    _print(shell, look(shell, full_id))
    context.exit(code)


def follow(runtime: Runtime, job_id: str) -> int:
    """Show a job's progress on the terminal until it ends; returns 0 if it succeeded, else 1.

    The progress goes to the error stream, so that a command's output stays its own. The job goes
    on when this is interrupted. Where nobody is there to do it, that is said.
    """
    shown = ""
    if _seen(runtime, job_id).state == JobState.QUEUED and _nobody_works(runtime):
        click.echo(NO_WORKER, err=True)
    while True:
        seen = _seen(runtime, job_id)
        if not seen.active:
            click.echo(_line(shown, ""), err=True, nl=False)
            return _report(seen)
        line = _progress_line(seen)
        if line != shown:
            click.echo(_line(shown, line), err=True, nl=False)
            shown = line
        threading.Event().wait(LOOK_SECONDS)


def look(shell: Any, job_id: str) -> JobView:
    """A job as the shell's actor may see it; `job_id` may be a unique beginning of its id."""
    with shell.runtime.reads() as session:
        job = service.get_job(session, kinds=shell.kinds, actor=shell.actor, job_id=job_id)
        return views.view_job(
            session, runtime=shell.runtime, kinds=shell.kinds, actor=shell.actor, job=job
        )


def copy_result(shell: Any, job_id: str, output: Path) -> None:
    """Copy the one file that a job made to where the user wants it, whole or not at all."""
    with shell.runtime.reads() as session:
        artifact_id = session.scalars(select(Artifact.id).where(Artifact.job_id == job_id)).one()
    source = artifact_path(shell.runtime.settings, artifact_id)
    with source.open("rb") as stream, written_aside(output.absolute()) as target:
        while chunk := stream.read(CHUNK):
            target.write(chunk)


def describe(job: JobView) -> dict[str, Any]:
    """A job for machines, in the words of the product."""
    return {
        "id": job.id,
        "number": job.number,
        "title": job.title,
        "area": job.area,
        "kind": job.kind,
        "state": job.state,
        "hung": job.shown_state == views.HUNG,
        "attempt": job.attempt,
        "requester": job.requester,
        "created": job.created_at.isoformat(),
        "started": job.started_at.isoformat() if job.started_at else None,
        "ended": job.ended_at.isoformat() if job.ended_at else None,
        "reason": job.reason,
        "stage": job.progress.stage if job.progress else "",
        "done": job.progress.done if job.progress else 0,
        "total": job.progress.total if job.progress else None,
        "place": job.place,
        "result": dict(job.result),
        "artifacts": [
            {"url": link.url, "name": link.label, "size": link.size} for link in job.artifacts
        ],
    }


def _nobody_works(runtime: Runtime) -> bool:
    """Whether no worker lives, as far as that can be known."""
    try:
        return not live_workers(runtime.redis)
    except RedisError:
        return False


def _seen(runtime: Runtime, job_id: str) -> JobView:
    with runtime.reads() as session:
        row = queries.find_row(session, job_id=job_id)
    if row is None:
        raise click.ClickException("The job is gone.")
    return views.view_rows([row], runtime=runtime)[0]


def _print(shell: Any, job: JobView) -> None:
    if shell.json:
        click.echo(json.dumps(describe(job), indent=2))
        return
    click.echo(f"{job.title}\n  id       {job.id}\n  state    {job.word}, attempt {job.attempt}")
    if job.reason:
        click.echo(f"  reason   {job.reason}")
    if job.progress and job.progress.stage:
        click.echo(f"  progress {_progress_line(job)}")
    for name, value in job.result.items():
        click.echo(f"  {name:<8} {value}")
    for link in job.artifacts:
        click.echo(f"  file     {link.label} ({link.size} bytes)")


def _report(job: JobView) -> int:
    if job.state == JobState.SUCCEEDED:
        click.echo(f"{job.title}: succeeded.", err=True)
        return 0
    click.echo(f"{job.title}: {job.word.lower()}. {job.reason}", err=True)
    return 1


def _progress_line(job: JobView) -> str:
    progress = job.progress
    if progress is None:
        return job.word
    total = f"/{progress.total}" if progress.total else ""
    counts = f"{progress.done}{total} {progress.unit}".strip() if progress.done else ""
    parts = [progress.stage or job.word, _bar(progress), _percent(progress), counts]
    return " ".join(part for part in parts if part)


def _bar(progress: Progress) -> str:
    if progress.percent is None:
        return ""
    full = progress.percent * BAR // 100
    return f"[{'#' * full}{'-' * (BAR - full)}]"


def _percent(progress: Progress | None) -> str:
    return "" if progress is None or progress.percent is None else f"{progress.percent}%"


def _line(old: str, new: str) -> str:
    """Write `new` over `old`, on the same line."""
    return f"\r{new.ljust(len(old))}" if new else f"\r{' ' * len(old)}\r" if old else ""
