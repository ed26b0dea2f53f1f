"""`portal projects`: load folders, list and show projects, export them."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.actors import actor_of
from portal.accounts.models import User
from portal.accounts.names import name_key
from portal.accounts.permissions import Actor, Permission
from portal.artifacts.models import Artifact
from portal.errors import ForbiddenError, InvalidError
from portal.jobs.commands import copy_result, describe, follow, look
from portal.jobs.models import JobState
from portal.projects import exports, members, service
from portal.projects.export_content import ExportOptions
from portal.projects.files import count_files
from portal.projects.load_order import LoadOrder, LoadReport, OnConflict
from portal.projects.loading import load_folder
from portal.projects.models import Policy
from portal.projects.pages import count_pages
from portal.projects.rights import Right

LISTED = 200
SHOWN_LINES = 20
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_Command = Callable[..., None]


@click.group()
def projects() -> None:
    """Load folders of documents as projects, list them, export them."""


def _printing(command: _Command) -> _Command:
    """Let `--json` stand behind the command too."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)


@projects.command("load")
@click.argument("folder", type=_FOLDER)
@click.option("--id", "project_id", default="", help="The project's id; else the folder's name.")
@click.option("--title", default="", help="The project's title; else the folder's name.")
@click.option("--owner", default="", metavar="USER", help="Who becomes its ProjectAdmin.")
@click.option(
    "--policy", type=click.Choice([str(policy) for policy in Policy]), default=str(Policy.MEDIUM)
)
@click.option(
    "--on-conflict",
    type=click.Choice([str(way) for way in OnConflict]),
    default=str(OnConflict.REFUSE),
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@_printing
@click.pass_obj
def load_command(
    shell: Any,
    folder: Path,
    project_id: str,
    title: str,
    owner: str,
    policy: str,
    on_conflict: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Load FOLDER: HTML and Markdown become pages, everything else files."""
    order = LoadOrder(
        folder=folder,
        project_id=project_id,
        title=title,
        policy=Policy(policy),
        on_conflict=OnConflict(on_conflict),
        dry_run=dry_run,
        address=shell.address,
    )
    with click.progressbar(length=1, label="Loading", file=sys.stderr) as bar:

        def tell(done: int, total: int) -> None:
            bar.length = max(1, total)
            bar.update(done - bar.pos)

        report = load_folder(shell.runtime, order=order, actor=_owner(shell, owner), progress=tell)
    if shell.json or as_json:
        click.echo(json.dumps(asdict(report)))
    else:
        _print_report(report)


@projects.command("list")
@click.option("--text", default="", help="Only projects whose id or title contains this.")
@_printing
@click.pass_obj
def list_command(shell: Any, text: str, as_json: bool) -> None:
    """Show the projects that you may see."""
    with shell.runtime.reads() as session:
        found = _everything(session, shell.actor, text)
    if shell.json or as_json:
        click.echo(json.dumps(found))
        return
    for facts in found:
        click.echo(f"{facts['id']}\t{facts['policy']}\t{facts['pages']} pages\t{facts['title']}")
    if not found:
        click.echo("There are no such projects.")


@projects.command("show")
@click.argument("project_id", metavar="ID")
@_printing
@click.pass_obj
def show_command(shell: Any, project_id: str, as_json: bool) -> None:
    """Show one project with its members and exports."""
    with shell.runtime.reads() as session:
        facts = _project_facts(session, shell.actor, project_id)
    if shell.json or as_json:
        click.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        shown = ", ".join(item["name"] for item in value) if isinstance(value, list) else value
        click.echo(f"{name:<8} {shown}")


@projects.command("export")
@click.argument("project_id", metavar="ID")
@click.option("--wait", is_flag=True, help="Follow the job until it ends; exit 1 if it fails.")
@click.option("--output", type=_FILE, help="Wait, then copy the zip to this file.")
@_printing
@click.pass_context
def export_command(
    context: click.Context, project_id: str, wait: bool, output: Path | None, as_json: bool
) -> None:
    """Export the project ID as one zip that opens offline."""
    shell: Any = context.obj
    job_id = _ask(shell, project_id)
    code = follow(shell.runtime, job_id) if wait or output is not None else 0
    job = look(shell, job_id)
    if output is not None and job.state == JobState.SUCCEEDED:
        copy_result(shell, job_id, output)
    if shell.json or as_json:
        click.echo(json.dumps(describe(job)))
    else:
        click.echo(str(output) if output is not None and code == 0 else f"{job.id}\t{job.state}")
    context.exit(code)


def _owner(shell: Any, name: str) -> Actor:
    """Who loads: the shell's actor, or for those who manage all projects another user."""
    actor: Actor = shell.actor
    if not name:
        return actor
    if not actor.may(Permission.PROJECTS_MANAGE_ALL):
        raise ForbiddenError("Only an administrator may load for somebody else (--owner).")
    with shell.runtime.reads() as session:
        user = session.scalar(select(User).where(User.name_key == name_key(name)))
        if user is None:
            raise InvalidError(f"There is no user called {name!r}.")
        return actor_of(user)


def _everything(session: Session, actor: Actor, text: str) -> list[dict[str, Any]]:
    """All projects that the actor may see, read some at a time."""
    found: list[dict[str, Any]] = []
    while batch := service.list_projects(
        session, actor=actor, text=text, after=found[-1]["id"] if found else "", limit=LISTED
    ):
        found += [
            {
                "id": line.project.id,
                "title": line.project.title,
                "policy": line.project.policy,
                "pages": line.pages,
                "files": line.files,
                "members": line.members,
                "role": line.role,
            }
            for line in batch
        ]
    return found


def _project_facts(session: Session, actor: Actor, project_id: str) -> dict[str, Any]:
    standing = service.get_standing(session, actor=actor, project_id=project_id)
    project = standing.project
    files, size = count_files(session, project_id)
    may_export = standing.may(Right.EXPORT)
    found = exports.list_exports(session, project_id=project_id, limit=LISTED if may_export else 0)
    return {
        "id": project.id,
        "title": project.title,
        "policy": project.policy,
        "pages": count_pages(session, project_id),
        "files": files,
        "size": size,
        "members": [
            {"name": member.name, "role": member.role}
            for member in members.list_members(session, project_id)
        ],
        "exports": [_export_facts(export) for export in found],
    }


def _export_facts(export: Artifact) -> dict[str, Any]:
    return {
        "id": export.id,
        "name": export.name,
        "size": export.size,
        "sha256": export.sha256,
        "created": export.created_at.isoformat(),
    }


def _ask(shell: Any, project_id: str) -> str:
    with shell.runtime.sessions.begin() as session:
        submitted = exports.create_export(
            session,
            actor=shell.actor,
            project_id=project_id,
            options=ExportOptions(),
            kinds=shell.kinds,
            waker=shell.waker,
            now=shell.runtime.clock(),
            address=shell.address,
        )
        if submitted.joined:
            click.echo("An export of this project is active already; this is that job.", err=True)
        return submitted.job.id


def _print_report(report: LoadReport) -> None:
    would = "would be " if report.dry_run else ""
    click.echo(f"Project {report.project_id} {would}{report.outcome}.")
    click.echo(
        f"  pages: {report.pages} ({report.new_pages} new, {report.changed_pages} changed, "
        f"{report.removed_pages} removed)"
    )
    click.echo(
        f"  files: {report.files} ({report.new_files} new, {report.changed_files} changed, "
        f"{report.removed_files} removed)"
    )
    skipped = [f"{entry.path}: {entry.reason}" for entry in report.skipped]
    apart = [f"{one.path} is kept as {one.kept_as}, beside {one.like}" for one in report.apart]
    _print_lines("Not taken", skipped)
    _print_lines("Kept apart, because their names are alike", apart)


def _print_lines(title: str, lines: list[str]) -> None:
    if lines:
        click.echo(f"  {title}: {len(lines)}")
    for line in lines[:SHOWN_LINES]:
        click.echo(f"    {line}")
    if len(lines) > SHOWN_LINES:
        click.echo(f"    … and {len(lines) - SHOWN_LINES} more; --json lists them all")
