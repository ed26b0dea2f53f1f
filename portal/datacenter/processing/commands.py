"""Commands that process files: begin, pause, go on, put aside, do again, take back, restore.

Rows that fail never stop a run: a job that did all rows has succeeded, says how many of them
failed, and exits with 0.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import click
from sqlalchemy.orm import Session

from portal.datacenter import orders
from portal.datacenter.again import ask_again, go_on
from portal.datacenter.approving import approve
from portal.datacenter.mapping import Wording, order_of
from portal.datacenter.picking import pick_file, pick_processor, pick_run
from portal.datacenter.remembered import known_mappings
from portal.datacenter.restoring import UnknownOriginError, order_to_restore
from portal.datacenter.shell.commands import (
    MODES,
    asking_of,
    center_of,
    end_with,
    queue_order,
    reading_options,
)
from portal.datacenter.steps import Folder
from portal.errors import NotFoundError
from portal.jobs.shell.commands import tell, waiting
from portal.rows.batch import Batch
from portal.rows.mapping import reading_of
from portal.rows.processors import Mode
from portal.rows.undo import check_undoable


@click.command("process")
@click.argument("file")
@click.option("--processor", required=True, help="What the rows are: users, table:NAME, …")
@click.option("--mode", type=MODES, required=True)
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
@waiting
@reading_options
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
    center = center_of(shell)
    wording = Wording(
        processor=pick_processor(asking_of(shell), processor),
        mode=Mode(mode),
        reading=reading_of(**reading),
        fields=fields,
        reason=Folder(reason),
        dry_run=dry_run,
    )
    picked = pick_file(center, file, folders=(Folder.ROOT, *orders.REASONS))
    order = order_of(picked, wording, known=known_mappings(shell.runtime, picked.file))
    end_with(context, queue_order(shell, order, center), wait=wait)


@click.command("retry")
@click.argument("job_or_batch")
@waiting
@click.pass_context
def retry_command(context: click.Context, job_or_batch: str, wait: bool) -> None:
    """Go on with what ended early, or do the rows that failed again."""
    shell: Any = context.obj
    center_of(shell)
    with shell.runtime.reads() as session:
        run = pick_run(session, asking=asking_of(shell), typed=job_or_batch)
    end_with(context, ask_again(shell.runtime, run, asking=asking_of(shell)), wait=wait)


@click.command("pause")
@click.argument("job_or_batch")
@click.pass_obj
def pause_command(shell: Any, job_or_batch: str) -> None:
    """Let a batch stop at its next safe point, to go on later."""
    center_of(shell)
    asking = asking_of(shell)
    with shell.runtime.sessions.begin() as session:
        batch = _batch(session, asking, job_or_batch)
        orders.ask_to_pause(session, batch=batch, asking=asking)
    tell(shell, {"batch": batch.id, "pausing": True}, ["The batch pauses at its next safe point."])


@click.command("go-on")
@click.argument("job_or_batch")
@waiting
@click.pass_context
def go_on_command(context: click.Context, job_or_batch: str, wait: bool) -> None:
    """Do what is left of a batch that was paused, cancelled or stopped."""
    _end_going_on(context, job_or_batch, wait=wait)


@click.command("approve")
@click.argument("job_or_batch")
@waiting
@click.pass_context
def approve_command(context: click.Context, job_or_batch: str, wait: bool) -> None:
    """Approve the removal that another person asked for, and let it go on."""
    shell: Any = context.obj
    center, asking = center_of(shell), asking_of(shell)
    with shell.runtime.sessions.begin() as session:
        batch = _batch(session, asking, job_or_batch)
        job_id = approve(session, batch=batch, center=center, asking=asking).job.id
    end_with(context, job_id, wait=wait)


@click.command("put-aside")
@click.argument("job_or_batch")
@waiting
@click.pass_context
def put_aside_command(context: click.Context, job_or_batch: str, wait: bool) -> None:
    """Leave the rest of such a batch: good rows go to finished, others to a pending file."""
    _end_going_on(context, job_or_batch, wait=wait, give_up=True)


@click.command("undo")
@click.argument("job_or_batch")
@waiting
@click.pass_context
def undo_command(context: click.Context, job_or_batch: str, wait: bool) -> None:
    """Take back what a batch did to the records; those changed since are kept and counted."""
    shell: Any = context.obj
    center_of(shell)
    with shell.runtime.sessions.begin() as session:
        batch = pick_run(session, asking=asking_of(shell), typed=job_or_batch).batch
        if batch is None:
            raise NotFoundError("The job has no batch yet; there is nothing to undo.")
        check_undoable(batch)
        job_id = orders.ask_to_undo(session, batch=batch, asking=asking_of(shell)).job.id
    end_with(context, job_id, wait=wait)


@click.command("restore")
@click.argument("file")
@click.option("--processor", default="", help="Needed only where nobody knows who removed them.")
@waiting
@click.pass_context
def restore_command(context: click.Context, file: str, processor: str, wait: bool) -> None:
    """Make the removed records again whose backup FILE lies in deleted/ or graduated/."""
    shell: Any = context.obj
    center, asking = center_of(shell), asking_of(shell)
    try:
        order = order_to_restore(
            shell.runtime, center=center, asking=asking, file=file, processor=processor
        )
    except UnknownOriginError as error:
        raise UnknownOriginError(f"{error} Say with --processor what they are.") from error
    end_with(context, queue_order(shell, order, center), wait=wait)


COMMANDS = (
    process_command,
    pause_command,
    go_on_command,
    approve_command,
    put_aside_command,
    retry_command,
    undo_command,
    restore_command,
)


def _batch(session: Session, asking: orders.Asking, typed: str) -> Batch:
    batch = pick_run(session, asking=asking, typed=typed).batch
    if batch is None:
        raise NotFoundError("The job has no batch yet; wait until it has begun.")
    return batch


def _end_going_on(context: click.Context, typed: str, *, wait: bool, give_up: bool = False) -> None:
    shell: Any = context.obj
    center, asking = center_of(shell), asking_of(shell)
    with shell.runtime.sessions.begin() as session:
        batch = _batch(session, asking, typed)
        job_id = go_on(session, batch, center=center, asking=asking, give_up=give_up).job.id
    end_with(context, job_id, wait=wait)


def _pairs(pairs: Iterable[str]) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    for pair in pairs:
        header, sign, name = pair.rpartition("=")
        if not sign or not header or header in fields:
            raise click.UsageError(f"--map wants HEADER=FIELD once for a column, not {pair!r}.")
        fields[header] = name.strip()
    return fields
