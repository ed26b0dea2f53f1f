"""`portal imports`: bring a file into a table, and take that back.

What is refused before there is a job ends with 2, a job that failed with 1.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from portal.errors import PortalError
from portal.imports import orders
from portal.imports.files import store_file
from portal.imports.orders import Asked, ImportOrder
from portal.imports.telling import asked_facts, job_facts, job_lines
from portal.imports.words import ImportMode
from portal.jobs.commands import follow, look
from portal.rows.batch_kinds import Wish
from portal.visible import visible

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MODES = click.Choice([str(mode) for mode in ImportMode])


class _RefusedError(click.ClickException):
    """Something is refused; said in a sentence."""

    exit_code = 2


class _Imports(click.Group):
    """Commands whose refusals end with 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Say what is refused."""
        try:
            return super().invoke(ctx)
        except PortalError as error:
            raise _RefusedError(str(error)) from error


@click.group(cls=_Imports)
def imports() -> None:
    """Bring files of rows into tables, with every bad row explained, and take that back."""


waiting = click.option(
    "--wait", is_flag=True, help="Follow the job until it ends; exit 1 if it fails."
)


@imports.command("run")
@click.argument("file", type=_FILE)
@click.option("--table", required=True, help="The table that the rows are for.")
@click.option("--mode", type=_MODES, default=str(ImportMode.INSERT), show_default=True)
@click.option("--partial", is_flag=True, help="Import the good rows in spite of bad ones.")
@click.option("--dry-run", is_flag=True, help="Only say what would become of the rows.")
@waiting
@click.pass_context
def run_command(
    context: click.Context,
    /,
    file: Path,
    table: str,
    mode: str,
    partial: bool,
    dry_run: bool,
    wait: bool,
) -> None:
    """Import FILE into a table: all of its rows, or none and why."""
    shell: Any = context.obj
    with file.open("rb") as stream:
        stored = store_file(shell.runtime, stream=stream, name=file.name, actor=shell.actor)
    order = ImportOrder.of(
        stored, table=table, mode=ImportMode(mode), partial=partial, dry_run=dry_run
    )
    with shell.runtime.sessions.begin() as session:
        asked = orders.ask_to_import(session, order=order, wish=wish_of(shell))
        job_id = asked.job.id
    _end_with(context, asked, job_id, wait=wait)


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


def _end_with(context: click.Context, asked: Asked, job_id: str, *, wait: bool) -> None:
    """Follow the job if asked to, say how it stands, and exit accordingly."""
    shell: Any = context.obj
    if asked.earlier is not None:
        click.echo(f"Warning: {asked.earlier.warning}", err=True)
    code = follow(shell.runtime, job_id) if wait else 0
    job = look(shell, job_id)
    _tell(shell, job_facts(job) | asked_facts(asked), job_lines(job))
    context.exit(code)


def _tell(shell: Any, facts: Any, lines: Iterable[str]) -> None:
    """Print facts for machines, or lines for people, in which nothing commands a terminal."""
    if shell.json:
        click.echo(json.dumps(facts))
    else:
        click.echo("\n".join("\t".join(map(visible, line.split("\t"))) for line in lines))
