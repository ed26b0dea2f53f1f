"""`portal datacenter`: bring files in, look at them, process them, and take that back."""

from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

import click

from portal.datacenter import telling
from portal.datacenter.acceptance import PendingStandsError, RefusedUploadError
from portal.datacenter.backups import check_backup
from portal.datacenter.listing import list_files
from portal.datacenter.looking import look
from portal.datacenter.names import shown_name
from portal.datacenter.orders import REASONS
from portal.datacenter.picking import pick_file, pick_processor
from portal.datacenter.processing import commands as processing
from portal.datacenter.remembered import known_mappings
from portal.datacenter.removal import MAY_GO, delete_files
from portal.datacenter.rules.commands import rules
from portal.datacenter.shell.commands import MODES, asking_of, center_of, reading_options
from portal.datacenter.steps import Folder
from portal.datacenter.upkeep import commands as upkeep
from portal.datacenter.uploads import Upload, accept_upload
from portal.jobs.shell.commands import tell
from portal.rows.mapping import reading_of
from portal.rows.processors import Mode

LISTED = tuple(folder for folder in Folder if folder is not Folder.LOGS)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def datacenter() -> None:
    """Process files of rows: users, projects, members, pages, tables and more."""


for _command in (rules, *processing.COMMANDS, *upkeep.COMMANDS):
    datacenter.add_command(_command)


@datacenter.command("put")
@click.argument("file", type=_FILE)
@click.option("--name", default="", help="The name in the data centre; else the file's own.")
@click.option("--replace", is_flag=True, help="Take the place of the pending file of that name.")
@click.pass_obj
def put_command(shell: Any, file: Path, name: str, replace: bool) -> None:
    """Upload FILE; it is read whole, and refused where it is no table."""
    with file.open("rb") as stream:
        upload = Upload(
            name=name or file.name, stream=stream, size=file.stat().st_size, replace=replace
        )
        try:
            accepted = accept_upload(
                shell.runtime, upload=upload, actor=shell.actor, address=shell.address
            )
        except PendingStandsError as error:
            raise RefusedUploadError(f"{error} That is what --replace does.") from error
    facts = telling.upload_facts(accepted, shown=shown_name(accepted.name))
    repairs = f" It repairs {accepted.repairs}." if accepted.repairs else ""
    tell(shell, facts, [f"{facts['name']}: {accepted.rows} rows.{repairs}"])


@datacenter.command("list")
@click.option("--folder", type=click.Choice([str(one) for one in LISTED if one]), default=None)
@click.option("--text", default="", help="Only files whose name contains this.")
@click.pass_obj
def list_command(shell: Any, folder: str | None, text: str) -> None:
    """Show the files that wait, or those of a folder, the newest first."""
    center, where = center_of(shell), Folder(folder or "")
    with shell.runtime.reads() as session:
        lines = list_files(session, center=center, folder=where, text=text)
    shown = [telling.file_line(line, where) for line in lines]
    tell(
        shell,
        [telling.file_facts(line, where) for line in lines],
        shown or ["There are no such files."],
    )


@datacenter.command("preview")
@click.argument("file")
@click.option("--processor", default="", help="Show which of its fields the columns are for, too.")
@click.option("--mode", type=MODES, default=str(Mode.CREATE))
@reading_options
@click.pass_obj
def preview_command(shell: Any, /, file: str, processor: str, mode: str, **reading: str) -> None:
    """Show how FILE of the data centre is read, and its first rows."""
    center, asking = center_of(shell), asking_of(shell)
    picked = pick_file(center, file, folders=LISTED)
    if picked.folder in REASONS:
        with shell.runtime.reads() as session:
            name, processors = picked.file.name, asking.processors
            check_backup(session, name=name, actor=asking.actor, processors=processors)
    chosen = [pick_processor(asking, processor)] if processor else []
    wish = replaced(reading_of(**reading), processor=processor, mode=mode)
    seen = look(
        picked.file, wish=wish, processors=chosen, known=known_mappings(shell.runtime, picked.file)
    )
    tell(shell, telling.look_facts(seen, picked.file), telling.look_lines(seen, picked.file))


@datacenter.command("delete")
@click.argument("files", nargs=-1, required=True)
@click.pass_obj
def delete_command(shell: Any, files: tuple[str, ...]) -> None:
    """Delete FILES that wait, or lie in finished/ or unfinished/, for good."""
    center = center_of(shell)
    where = [folder for folder in Folder if folder in MAY_GO]
    picked = [pick_file(center, file, folders=where) for file in files]
    gone = []
    for one in picked:
        gone += delete_files(
            shell.runtime,
            wanted=[one.file.name],
            folder=one.folder,
            actor=shell.actor,
            address=shell.address,
        )
    tell(shell, {"deleted": gone}, [f"Deleted: {name}" for name in gone])
