"""What the commands of imports share: refusals in words, following a job, telling."""

from collections.abc import Callable
from typing import Any

import click
from sqlalchemy.orm import Session

from portal.imports import telling
from portal.imports.orders import Asked
from portal.jobs.commands import follow, look
from portal.jobs.shell.commands import tell
from portal.rows.batch_kinds import Wish


def wish_of(shell: Any) -> Wish:
    """Who asks in the shell, and what jobs are made with."""
    return Wish(
        actor=shell.actor,
        now=shell.runtime.clock(),
        kinds=shell.kinds,
        waker=shell.waker,
        processors=shell.processors,
        runtime=shell.runtime,
        address=shell.address,
    )


def end(context: click.Context, ask: Callable[[Session, Wish], Asked], wait: bool) -> None:
    """Ask, follow the job if asked to, say how it stands, and exit accordingly."""
    shell: Any = context.obj
    with shell.runtime.sessions.begin() as session:
        asked = ask(session, wish_of(shell))
        job_id = asked.job.id
    if asked.earlier is not None:
        click.echo(f"Warning: {asked.earlier.warning}", err=True)
    code = follow(shell.runtime, job_id) if wait else 0
    job = look(shell, job_id)
    tell(shell, telling.job_facts(job) | telling.asked_facts(asked), telling.job_lines(job))
    context.exit(code)
