"""What the commands of delivery share: refusals in words, following a job, telling."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import click

from portal.delivery.orders import Asking
from portal.errors import PortalError
from portal.jobs.commands import describe, follow, look
from portal.jobs.service import Submitted
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


def tell(shell: Any, facts: Any, lines: Iterable[str]) -> None:
    """Print facts for machines, or lines for people, in which nothing commands a terminal."""
    if shell.json:
        click.echo(json.dumps(facts))
    else:
        click.echo("\n".join("\t".join(map(visible, line.split("\t"))) for line in lines))
