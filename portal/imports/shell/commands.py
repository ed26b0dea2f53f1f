"""What the commands of imports share: refusals in words, following a job, telling."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import click
from sqlalchemy.orm import Session

from portal.errors import PortalError
from portal.imports import telling
from portal.imports.orders import Asked
from portal.jobs.commands import follow, look
from portal.rows.batch_kinds import Wish
from portal.visible import visible

waiting = click.option(
    "--wait", is_flag=True, help="Follow the job until it ends; exit 1 if it fails."
)


class _RefusedError(click.ClickException):
    """Something is refused; said in a sentence."""

    exit_code = 2


class Refusing(click.Group):
    """Commands whose refusals end with 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Say what is refused."""
        try:
            return super().invoke(ctx)
        except PortalError as error:
            raise _RefusedError(str(error)) from error


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


def tell(shell: Any, facts: Any, lines: Iterable[str]) -> None:
    """Print facts for machines, or lines for people, in which nothing commands a terminal."""
    if shell.json:
        click.echo(json.dumps(facts))
    else:
        click.echo("\n".join("\t".join(map(visible, line.split("\t"))) for line in lines))
