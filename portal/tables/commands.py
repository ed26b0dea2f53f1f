"""`portal tables`: list tables, export one, say and change who may do what with it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from portal.accounts.permissions import Permission, Role
from portal.errors import ForbiddenError
from portal.jobs.commands import copy_result, describe, follow, look
from portal.jobs.models import JobState
from portal.tables import service
from portal.tables.actions import Action, Granted
from portal.tables.files import FileFormat
from portal.tables.grants import granted_for, rights_of, set_grants
from portal.tables.service import TableLine

LISTED = 1_000_000
_FILE = click.Path(dir_okay=False, path_type=Path)
_ROLES = click.Choice([str(role) for role in Role if role is not Role.ADMIN])
_ACTIONS = click.Choice([str(action) for action in Action])


@click.group()
def tables() -> None:
    """List the tables of the tables database, export them, grant them to roles."""


@tables.command("list")
@click.option("--text", default="", help="Only tables whose name contains this.")
@click.pass_obj
def list_command(shell: Any, text: str) -> None:
    """Show the tables that you may see, with their rows (about, where there are many)."""
    with shell.runtime.reads() as session:
        rights = rights_of(session, settings=shell.runtime.settings, actor=shell.actor)
    found = service.list_tables(shell.runtime, rights, text=text, limit=LISTED)
    if shell.json:
        click.echo(json.dumps([_facts(line) for line in found]))
        return
    for line in found:
        about = "" if line.count.exact else "about "
        click.echo(f"{line.shape.name}\t{about}{line.count.number} rows\t{', '.join(line.actions)}")
    if not found:
        click.echo("There are no such tables.")


@tables.command("export")
@click.argument("table")
@click.option(
    "--format",
    "file_format",
    type=click.Choice([str(known) for known in FileFormat]),
    help="Else what the output's name ends with, else csv.",
)
@click.option("--wait", is_flag=True, help="Follow the job until it ends; exit 1 if it fails.")
@click.option("--output", type=_FILE, help="Wait, then copy the export to this file.")
@click.pass_context
def export_command(
    context: click.Context, table: str, file_format: str | None, wait: bool, output: Path | None
) -> None:
    """Export all rows of TABLE as one file."""
    shell: Any = context.obj
    job_id = _ask(shell, table, _format(file_format, output))
    code = follow(shell.runtime, job_id) if wait or output is not None else 0
    job = look(shell, job_id)
    if output is not None and job.state == JobState.SUCCEEDED:
        copy_result(shell, job_id, output)
    if shell.json:
        click.echo(json.dumps(describe(job)))
    else:
        click.echo(str(output) if output is not None and code == 0 else f"{job.id}\t{job.state}")
    context.exit(code)


@tables.command("grants")
@click.argument("table")
@click.pass_obj
def grants_command(shell: Any, table: str) -> None:
    """Show which roles may do what with TABLE."""
    _show(shell, table, _granted(shell, table))


@tables.command("grant")
@click.argument("table")
@click.argument("role", type=_ROLES)
@click.argument("actions", nargs=-1, required=True, type=_ACTIONS)
@click.pass_obj
def grant_command(shell: Any, table: str, role: str, actions: Sequence[str]) -> None:
    """Let ROLE do ACTIONS with TABLE, besides what it may do already."""
    added = {(Role(role), Action(action)) for action in actions}
    _show(shell, table, _set(shell, table, _granted(shell, table) | added))


@tables.command("revoke")
@click.argument("table")
@click.argument("role", type=_ROLES)
@click.argument("actions", nargs=-1, type=_ACTIONS)
@click.pass_obj
def revoke_command(shell: Any, table: str, role: str, actions: Sequence[str]) -> None:
    """Take ACTIONS on TABLE (without any: all of them) away from ROLE."""
    gone = {(Role(role), Action(action)) for action in actions or Action}
    _show(shell, table, _set(shell, table, _granted(shell, table) - gone))


def _facts(line: TableLine) -> dict[str, Any]:
    return {
        "name": line.shape.name,
        "rows": line.count.number,
        "exact": line.count.exact,
        "columns": [column.name for column in line.shape.columns],
        "key": list(line.shape.key),
        "actions": [str(action) for action in line.actions],
    }


def _format(file_format: str | None, output: Path | None) -> FileFormat:
    ending = output.suffix.lower().removeprefix(".") if output is not None else ""
    chosen = file_format or (ending if ending in set(FileFormat) else "")
    return FileFormat(chosen or FileFormat.CSV)


def _ask(shell: Any, table: str, file_format: FileFormat) -> str:
    with shell.runtime.sessions.begin() as session:
        submitted = service.create_export(
            session,
            runtime=shell.runtime,
            actor=shell.actor,
            table=table,
            file_format=file_format,
            kinds=shell.kinds,
            waker=shell.waker,
            now=shell.runtime.clock(),
            address=shell.address,
        )
        if submitted.joined:
            click.echo("An export of this table is active already; this is that job.", err=True)
        return submitted.job.id


def _granted(shell: Any, table: str) -> Granted:
    if not shell.actor.may(Permission.TABLES_GRANT):
        raise ForbiddenError("Only an administrator sees and changes what is granted.")
    with shell.runtime.reads() as session:
        rights = rights_of(session, settings=shell.runtime.settings, actor=shell.actor)
        service.get_table(shell.runtime, rights, name=table)
        return granted_for(session, settings=shell.runtime.settings, table=table)


def _set(shell: Any, table: str, grants: Granted) -> Granted:
    with shell.runtime.sessions.begin() as session:
        _write(session, shell, table, grants)
    return grants


def _write(session: Session, shell: Any, table: str, grants: Granted) -> None:
    set_grants(
        session,
        settings=shell.runtime.settings,
        actor=shell.actor,
        table=table,
        grants=grants,
        now=shell.runtime.clock(),
        address=shell.address,
    )


def _show(shell: Any, table: str, granted: Granted) -> None:
    by_role = {
        str(role): [str(action) for action in Action if (role, action) in granted]
        for role in Role
        if any(one == role for one, _ in granted)
    }
    if shell.json:
        click.echo(json.dumps({"name": table, "grants": by_role}))
        return
    for role, actions in by_role.items():
        click.echo(f"{role}\t{', '.join(actions)}")
    if not by_role:
        click.echo(f"Only administrators may do anything with {table}.")
