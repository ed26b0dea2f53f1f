"""Commands beside the files: logs, mappings, where the storage is, and erasing a person's rows."""

from pathlib import Path
from typing import Any

import click

from portal.accounts.permissions import Permission
from portal.datacenter.erasing import erase_rows, plan_erasure
from portal.datacenter.log_search import NOTHING, logs_for, search_logs
from portal.datacenter.mappings import remove_mapping
from portal.datacenter.place import storage_path
from portal.datacenter.service import change_storage_path
from portal.datacenter.shell.commands import center_of
from portal.datacenter.telling import mapping_facts, mapping_line
from portal.errors import ForbiddenError, NotFoundError
from portal.jobs.shell.commands import tell
from portal.rows.profiles import list_profiles, list_versions
from portal.rows.told import told

EVERY_LINE = "^"


@click.command("logs")
@click.argument("expression", default="")
@click.option("--log", default="", metavar="NAME", help="Only the log of this name.")
@click.pass_obj
def logs_command(shell: Any, expression: str, log: str) -> None:
    """Search the logs by a regular EXPRESSION, the oldest lines first; without one, name them."""
    folder = center_of(shell).logs_path
    names = logs_for(folder, actor=shell.actor, processors=shell.processors)
    if log and log not in names:
        raise NotFoundError(f"There is no log called {log!r}.")
    if not expression and not log:
        tell(shell, [{"name": name} for name in names], names or ["There are no logs yet."])
        return
    found = search_logs(folder, expression or EVERY_LINE, logs=[log] if log else names)
    lines = [f"{one.name}: {line}" for one in found.logs for line in one.lines]
    facts = [{"name": one.name, "lines": list(one.lines)} for one in found.logs]
    tell(shell, facts, lines or [NOTHING])
    if found.cut:
        click.echo("There may be more; narrow the search.", err=True)


@click.command("storage")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--move", is_flag=True, help="Move the files there; else they stay where they are.")
@click.pass_context
def storage_command(context: click.Context, folder: Path | None, move: bool) -> None:
    """Show in which folder the files lie, or let it be FOLDER; exit 1 if files had to stay."""
    shell: Any = context.obj
    if not shell.actor.may(Permission.DATACENTER_SETTINGS):
        raise ForbiddenError("Only an administrator may see and change the storage.")
    left: list[str] = []
    if folder is not None:
        left = change_storage_path(
            shell.runtime,
            path=folder.absolute(),
            move=move,
            actor=shell.actor,
            address=shell.address,
        )
    with shell.runtime.reads() as session:
        storage = storage_path(session, shell.runtime.settings)
    stayed = [f"{name} stayed: there is a file of that name already." for name in left]
    tell(shell, {"storage": str(storage), "left": left}, [str(storage), *stayed])
    context.exit(1 if left else 0)


@click.group("mappings")
def mappings() -> None:
    """Mappings that were saved for files with the same header."""


@mappings.command("list")
@click.pass_obj
def list_mappings_command(shell: Any) -> None:
    """Show the saved mappings by name."""
    center_of(shell)
    with shell.runtime.reads() as session:
        found = list_profiles(session)
    tell(
        shell,
        [mapping_facts(profile) for profile in found],
        [mapping_line(profile) for profile in found] or ["There are no saved mappings."],
    )


@mappings.command("versions")
@click.argument("name")
@click.pass_obj
def list_versions_command(shell: Any, name: str) -> None:
    """Show the saved mapping NAME as it stands and as it stood before, the newest first."""
    center_of(shell)
    with shell.runtime.reads() as session:
        found = list_versions(session, name=name)
    lines: list[str] = []
    for profile in found:
        facts = mapping_facts(profile)
        lines.append(f"version {profile.version}, saved {facts['saved']} by {profile.saved_by}")
        lines.append(f"  columns  {', '.join(column or '-' for column in profile.columns)}")
        for one in told(profile.treatment):
            lines.append(f"  {one.field}: {one.words}")
            lines += [f"    {line}" for line in one.lines]
    tell(shell, [mapping_facts(profile) for profile in found], lines)


@mappings.command("delete")
@click.argument("name")
@click.pass_obj
def delete_mapping_command(shell: Any, name: str) -> None:
    """Delete the saved mapping NAME."""
    center_of(shell)
    with shell.runtime.sessions.begin() as session:
        remove_mapping(
            session,
            name=name,
            actor=shell.actor,
            now=shell.runtime.clock(),
            kinds=shell.batch_kinds,
            address=shell.address,
        )
    tell(shell, {"deleted": name}, [f"Deleted: {name}"])


@click.command("forget")
@click.option("--user", "name", required=True, metavar="NAME", help="Whose batches.")
@click.option("--yes", is_flag=True, help="Do not ask; a script has to say so.")
@click.pass_obj
def forget_command(shell: Any, name: str, yes: bool) -> None:
    """Erase for good what the rows of a person's batches said; counts and the audit log stay."""
    center_of(shell)
    planned = plan_erasure(shell.runtime, name=name, actor=shell.actor)
    if not yes:
        click.echo("\n".join(["This will be lost:", *planned.loss]), err=True)
        click.confirm("Erase it?", abort=True, err=True)
    erased = erase_rows(shell.runtime, name=name, actor=shell.actor, address=shell.address)
    facts = {
        "user": erased.name,
        "batches": [batch.id for batch in erased.batches],
        "files": list(erased.files),
    }
    tell(shell, facts, [f"Erased: the rows of {len(erased.batches)} batches of {erased.name}."])


COMMANDS = (logs_command, storage_command, mappings, forget_command)
