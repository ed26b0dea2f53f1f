"""`portal datacenter`: bring files in, look at them, process them, and take that back.

Rows that fail never stop a run: a job that did all rows has succeeded, says how many of them
failed, and exits with 0.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

import click

from portal.accounts.permissions import Permission
from portal.datacenter import orders, telling
from portal.datacenter.acceptance import PendingStandsError, RefusedUploadError
from portal.datacenter.again import ask_again
from portal.datacenter.batches import view_run
from portal.datacenter.folders import DataCenter
from portal.datacenter.listing import list_files
from portal.datacenter.log_search import NOTHING, logs_for, search_logs
from portal.datacenter.looking import QUOTES, look
from portal.datacenter.mapping import Wording, order_of, reading_of, saved_mappings
from portal.datacenter.names import shown_name
from portal.datacenter.picking import pick_file, pick_processor, pick_run
from portal.datacenter.restoring import UnknownOriginError, order_to_restore
from portal.datacenter.rules.commands import rules
from portal.datacenter.service import open_data_center
from portal.datacenter.steps import Folder
from portal.datacenter.uploads import Upload, accept_upload
from portal.errors import ForbiddenError, NotFoundError
from portal.jobs.commands import describe, follow
from portal.rows.processors import Mode
from portal.rows.undo import check_undoable

EVERY_LINE = "^"
LISTED = tuple(folder for folder in Folder if folder is not Folder.LOGS)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MODES = click.Choice([str(mode) for mode in Mode])
_Command = Callable[..., None]


@click.group()
def datacenter() -> None:
    """Process files of rows: users, projects, members, pages, tables and more."""


datacenter.add_command(rules)


def _reading(command: _Command) -> _Command:
    """The options that say how a file is read, where what is found is wrong."""
    for option in (
        click.option("--sheet", default="", help="The sheet of a spreadsheet; else the first."),
        click.option("--quote", default="", type=click.Choice(["", *QUOTES]), help="Else found."),
        click.option("--delimiter", default="", help="A name like semicolon or tab, or the sign."),
        click.option("--encoding", default="", help="Like utf-8 or cp1252; else it is found."),
    ):
        command = option(command)
    return command


_waiting = click.option(
    "--wait", is_flag=True, help="Follow the job until it ends; exit 1 if it fails."
)


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
    _print(shell, facts, [f"{facts['name']}: {accepted.rows} rows.{repairs}"])


@datacenter.command("list")
@click.option("--folder", type=click.Choice([str(one) for one in LISTED if one]), default=None)
@click.option("--text", default="", help="Only files whose name contains this.")
@click.pass_obj
def list_command(shell: Any, folder: str | None, text: str) -> None:
    """Show the files that wait, or those of a folder, the newest first."""
    center, where = _center(shell), Folder(folder or "")
    with shell.runtime.reads() as session:
        lines = list_files(session, center=center, folder=where, text=text)
    shown = [telling.file_line(line, where) for line in lines]
    _print(
        shell,
        [telling.file_facts(line, where) for line in lines],
        shown or ["There are no such files."],
    )


@datacenter.command("preview")
@click.argument("file")
@click.option("--processor", default="", help="Show which of its fields the columns are for, too.")
@click.option("--mode", type=_MODES, default=str(Mode.CREATE))
@_reading
@click.pass_obj
def preview_command(shell: Any, /, file: str, processor: str, mode: str, **reading: str) -> None:
    """Show how FILE of the data centre is read, and its first rows."""
    center, asking = _center(shell), _asking(shell)
    picked = pick_file(center, file, folders=LISTED)
    chosen = [pick_processor(asking, processor)] if processor else []
    wish = replaced(reading_of(**reading), processor=processor, mode=mode)
    seen = look(picked.file, wish=wish, processors=chosen, known=saved_mappings(shell.runtime))
    _print(shell, telling.look_facts(seen), telling.look_lines(seen))


@datacenter.command("process")
@click.argument("file")
@click.option("--processor", required=True, help="What the rows are: users, table:NAME, …")
@click.option("--mode", type=_MODES, required=True)
@click.option(
    "--map",
    "pairs",
    multiple=True,
    metavar="HEADER=FIELD",
    help="The field of a column; without FIELD the column is left out. Else it is guessed.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would become of the rows.")
@click.option(
    "--reason",
    type=click.Choice([str(folder) for folder in orders.REASONS]),
    default=str(Folder.DELETED),
    help="Why records are removed; into that folder they are backed up.",
)
@_waiting
@_reading
@click.pass_context
def process_command(
    context: click.Context,
    /,
    file: str,
    processor: str,
    mode: str,
    pairs: tuple[str, ...],
    dry_run: bool,
    reason: str,
    wait: bool,
    **reading: str,
) -> None:
    """Process FILE of the data centre. Rows that fail wait in a pending file; exit is 0 then."""
    shell: Any = context.obj
    fields = _pairs(pairs)
    center = _center(shell)
    wording = Wording(
        processor=pick_processor(_asking(shell), processor),
        mode=Mode(mode),
        reading=reading_of(**reading),
        fields=fields,
        reason=Folder(reason),
        dry_run=dry_run,
    )
    picked = pick_file(center, file, folders=(Folder.ROOT, *orders.REASONS))
    order = order_of(picked, wording, known=saved_mappings(shell.runtime))
    _end(context, _ask(shell, order, center), wait=wait)


@datacenter.command("retry")
@click.argument("job_or_batch")
@_waiting
@click.pass_context
def retry_command(context: click.Context, job_or_batch: str, wait: bool) -> None:
    """Go on with what ended early, or do the rows that failed again."""
    shell: Any = context.obj
    _center(shell)
    with shell.runtime.reads() as session:
        run = pick_run(session, asking=_asking(shell), typed=job_or_batch)
    _end(context, ask_again(shell.runtime, run, asking=_asking(shell)), wait=wait)


@datacenter.command("undo")
@click.argument("job_or_batch")
@_waiting
@click.pass_context
def undo_command(context: click.Context, job_or_batch: str, wait: bool) -> None:
    """Take back what a batch did to the records; those changed since are kept and counted."""
    shell: Any = context.obj
    _center(shell)
    with shell.runtime.sessions.begin() as session:
        batch = pick_run(session, asking=_asking(shell), typed=job_or_batch).batch
        if batch is None:
            raise NotFoundError("The job has no batch yet; there is nothing to undo.")
        check_undoable(batch)
        job_id = orders.ask_to_undo(session, batch=batch, asking=_asking(shell)).job.id
    _end(context, job_id, wait=wait)


@datacenter.command("restore")
@click.argument("file")
@click.option("--processor", default="", help="Needed only where nobody knows who removed them.")
@_waiting
@click.pass_context
def restore_command(context: click.Context, file: str, processor: str, wait: bool) -> None:
    """Make the removed records again whose backup FILE lies in deleted/ or graduated/."""
    shell: Any = context.obj
    center, asking = _center(shell), _asking(shell)
    try:
        order = order_to_restore(
            shell.runtime, center=center, asking=asking, file=file, processor=processor
        )
    except UnknownOriginError as error:
        raise UnknownOriginError(f"{error} Say with --processor what they are.") from error
    _end(context, _ask(shell, order, center), wait=wait)


@datacenter.command("logs")
@click.argument("expression", default="")
@click.option("--log", default="", metavar="NAME", help="Only the log of this name.")
@click.pass_obj
def logs_command(shell: Any, expression: str, log: str) -> None:
    """Search the logs by a regular EXPRESSION, the oldest lines first; without one, name them."""
    folder = _center(shell).logs_path
    names = logs_for(folder, actor=shell.actor, processors=shell.processors)
    if log and log not in names:
        raise NotFoundError(f"There is no log called {log!r}.")
    if not expression and not log:
        _print(shell, [{"name": name} for name in names], names or ["There are no logs yet."])
        return
    found = search_logs(folder, expression or EVERY_LINE, logs=[log] if log else names)
    lines = [f"{one.name}: {line}" for one in found.logs for line in one.lines]
    facts = [{"name": one.name, "lines": list(one.lines)} for one in found.logs]
    _print(shell, facts, lines or [NOTHING])
    if found.cut:
        click.echo("There may be more; narrow the search.", err=True)


def _center(shell: Any) -> DataCenter:
    """The data centre, for those who may see it."""
    if not shell.actor.may(Permission.DATACENTER_VIEW):
        raise ForbiddenError("You may not see the data centre.")
    return open_data_center(shell.runtime)


def _asking(shell: Any) -> orders.Asking:
    return orders.Asking(
        actor=shell.actor,
        now=shell.runtime.clock(),
        kinds=shell.kinds,
        waker=shell.waker,
        processors=shell.processors,
        address=shell.address,
    )


def _pairs(pairs: Iterable[str]) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    for pair in pairs:
        header, sign, name = pair.rpartition("=")
        if not sign or not header or header in fields:
            raise click.UsageError(f"--map wants HEADER=FIELD once for a column, not {pair!r}.")
        fields[header] = name.strip()
    return fields


def _ask(shell: Any, order: orders.ProcessOrder, center: DataCenter) -> str:
    with shell.runtime.sessions.begin() as session:
        submitted = orders.ask_to_process(
            session, order=order, center=center, asking=_asking(shell)
        )
        if submitted.joined:
            click.echo("This was asked for already; this is that job.", err=True)
        return submitted.job.id


def _end(context: click.Context, job_id: str, *, wait: bool) -> None:
    """Follow the job if asked to, say how it stands, and exit accordingly."""
    shell: Any = context.obj
    code = follow(shell.runtime, job_id) if wait else 0
    with shell.runtime.reads() as session:
        run = view_run(session, asking=_asking(shell), runtime=shell.runtime, job_id=job_id)
    storage = open_data_center(shell.runtime).storage
    _print(
        shell, telling.run_facts(run, describe(run.job)), telling.run_lines(run, storage=storage)
    )
    context.exit(code)


def _print(shell: Any, facts: Any, lines: Iterable[str]) -> None:
    if shell.json:
        click.echo(json.dumps(facts))
    else:
        click.echo("\n".join(lines))
