"""What the commands of delivery share: refusals in words, following a job, telling."""

from collections.abc import Callable
from typing import Any

import click

from portal.delivery.orders import Asking
from portal.jobs.commands import describe, follow, look
from portal.jobs.service import Submitted
from portal.jobs.shell.commands import tell


def end(context: click.Context, order: Callable[..., Submitted], name: str, wait: bool) -> None:
    """Ask for a job, follow it if asked to, say how it stands, and exit accordingly."""
    shell: Any = context.obj
    with shell.runtime.sessions.begin() as session:
        job_id = order(session, asking_of(shell), name=name).job.id
    code = follow(shell.runtime, job_id) if wait else 0
    job = look(shell, job_id)
    tell(shell, describe(job), [f"{job.id}\t{job.state}"])
    context.exit(code)


def asking_of(shell: Any) -> Asking:
    return Asking(
        actor=shell.actor,
        kinds=shell.kinds,
        waker=shell.waker,
        now=shell.runtime.clock(),
        place=shell.address,
    )
