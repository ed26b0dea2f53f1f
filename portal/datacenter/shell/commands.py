"""What the commands of the data centre share: who asks, following jobs, and telling what came."""

from collections.abc import Callable
from typing import Any

import click

from portal.accounts.permissions import Permission
from portal.datacenter import orders, telling
from portal.datacenter.batches import view_run
from portal.datacenter.folders import DataCenter
from portal.datacenter.service import open_data_center
from portal.errors import ForbiddenError
from portal.jobs.commands import describe, follow
from portal.jobs.shell.commands import tell
from portal.rows.looking import QUOTES
from portal.rows.processors import Mode

MODES = click.Choice([str(mode) for mode in Mode])
_Command = Callable[..., None]


def reading_options(command: _Command) -> _Command:
    """The options that say how a file is read, where what is found is wrong."""
    for option in (
        click.option("--sheet", default="", help="The sheet of a spreadsheet; else the first."),
        click.option("--quote", default="", type=click.Choice(["", *QUOTES]), help="Else found."),
        click.option("--delimiter", default="", help="A name like semicolon or tab, or the sign."),
        click.option("--encoding", default="", help="Like utf-8 or cp1252; else it is found."),
    ):
        command = option(command)
    return command


def center_of(shell: Any) -> DataCenter:
    """The data centre, for those who may see it."""
    if not shell.actor.may(Permission.DATACENTER_VIEW):
        raise ForbiddenError("You may not see the data centre.")
    return open_data_center(shell.runtime)


def asking_of(shell: Any) -> orders.Asking:
    """Who asks in the shell, and what jobs are made with."""
    return orders.Asking(
        actor=shell.actor,
        now=shell.runtime.clock(),
        kinds=shell.kinds,
        waker=shell.waker,
        processors=shell.processors,
        address=shell.address,
    )


def queue_order(shell: Any, order: orders.ProcessOrder, center: DataCenter) -> str:
    """Queue the processing of a file; returns the id of the job."""
    with shell.runtime.sessions.begin() as session:
        submitted = orders.ask_to_process(
            session, order=order, center=center, asking=asking_of(shell)
        )
        if submitted.joined:
            click.echo("This was asked for already; this is that job.", err=True)
        return submitted.job.id


def end_with(context: click.Context, job_id: str, *, wait: bool) -> None:
    """Follow the job if asked to, say how it stands, and exit accordingly."""
    shell: Any = context.obj
    code = follow(shell.runtime, job_id) if wait else 0
    with shell.runtime.reads() as session:
        run = view_run(session, asking=asking_of(shell), runtime=shell.runtime, job_id=job_id)
    storage = open_data_center(shell.runtime).storage
    tell(shell, telling.run_facts(run, describe(run.job)), telling.run_lines(run, storage=storage))
    context.exit(code)
