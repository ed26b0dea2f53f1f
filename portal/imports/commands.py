"""`portal imports`: bring files into tables, look at that, and take it back.

What is refused before there is a job ends with 2, a job that failed with 1.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from portal.files import written_aside
from portal.imports import orders, telling
from portal.imports.creating.commands import create_table_command
from portal.imports.files import store_file
from portal.imports.listing import Wanted, list_page
from portal.imports.looking import get_batch_of, view_import
from portal.imports.orders import Asked, ImportOrder
from portal.imports.results.commands import go_on_command, pause_command
from portal.imports.scheduled import schedule_import
from portal.imports.shell.commands import end, wish_of
from portal.imports.templates import TemplateFormat, table_template
from portal.imports.wording import EMPTY, pairs_of, treatment_of
from portal.imports.words import ImportMode
from portal.jobs.shell.commands import Refusing, tell, waiting
from portal.rows.batch_kinds import Wish

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)
_MODES = click.Choice([str(mode) for mode in ImportMode])
_FORMATS = click.Choice([str(form) for form in TemplateFormat])
_READING = ("encoding", "delimiter", "sheet")
_Command = Callable[..., None]


@click.group(cls=Refusing)
def imports() -> None:
    """Bring files of rows into tables, with every bad row explained, and take that back."""


def ordering(command: _Command) -> _Command:
    """The options that say what becomes of the rows of a file."""
    for option in (
        click.option("--sheet", default="", help="The sheet of a spreadsheet; else the first."),
        click.option("--delimiter", default="", help="A name like semicolon or tab, or the sign."),
        click.option("--encoding", default="", help="Like utf-8 or cp1252; else it is found."),
        click.option("--profile", default="", help="A saved mapping for files of this header."),
        click.option(
            "--set",
            "constants",
            multiple=True,
            metavar="COLUMN=VALUE",
            help="A value for all rows, for a column that the file does not have.",
        ),
        click.option(
            "--empty",
            multiple=True,
            metavar=f"COLUMN={'|'.join(EMPTY)}",
            help="What an empty cell means.",
        ),
        click.option(
            "--key", multiple=True, metavar="COLUMN", help="A column by which rows are found."
        ),
        click.option(
            "--map",
            "pairs",
            multiple=True,
            metavar="HEADER=COLUMN",
            help="The table's column for one of the file; without COLUMN it is left out.",
        ),
        click.option("--partial", is_flag=True, help="Import good rows in spite of bad ones."),
        click.option("--mode", type=_MODES, default=str(ImportMode.INSERT), show_default=True),
        click.option("--table", required=True, help="The table that the rows are for."),
    ):
        command = option(command)
    return command


@imports.command("run")
@click.argument("file", type=_FILE, required=False)
@click.option(
    "--path",
    default="",
    help="Instead: a file in a folder that the server allows, an https address, or "
    "channel:NAME/FILE.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would become of the rows.")
@ordering
@waiting
@click.pass_context
def run_command(
    context: click.Context,
    /,
    file: Path | None,
    path: str,
    dry_run: bool,
    wait: bool,
    **worded: Any,
) -> None:
    """Import FILE into a table: all of its rows, or none and why."""
    shell: Any = context.obj
    if (file is None) == (not path):
        raise click.UsageError("Give either FILE or --path.")
    more = _worded(**worded) | {"dry_run": dry_run}
    if file is None:
        order = ImportOrder.at(path, **more)
    else:
        with file.open("rb") as stream:
            stored = store_file(shell.runtime, stream=stream, name=file.name, actor=shell.actor)
        order = ImportOrder.of(stored, **more)
    end(context, lambda session, wish: orders.ask_to_import(session, order=order, wish=wish), wait)


@imports.command("schedule")
@click.argument("path")
@click.option("--cron", required=True, help="When: minute, hour, day, month, day of the week.")
@ordering
@click.pass_obj
def schedule_command(shell: Any, /, path: str, cron: str, **worded: Any) -> None:
    """Import the file at PATH (an https address, or channel:NAME/PATTERN) again and again.

    You are told where it is not there.
    """
    order = ImportOrder.at(path, **_worded(**worded))
    with shell.runtime.sessions.begin() as session:
        schedule = schedule_import(session, order=order, cron=cron, wish=wish_of(shell))
        facts = {"schedule": schedule.id, "title": schedule.title, "cron": schedule.cron}
    tell(shell, facts, [f"{facts['schedule']}\t{facts['title']}"])


@imports.command("apply")
@click.argument("job_or_batch")
@waiting
@click.pass_context
def apply_command(context: click.Context, job_or_batch: str, wait: bool) -> None:
    """Import just what a dry run planned, or nothing and say what drifted since."""

    def ask(session: Session, wish: Wish) -> Asked:
        plan = get_batch_of(session, wish=wish, typed=job_or_batch)
        return orders.ask_to_apply(session, plan=plan, wish=wish)

    end(context, ask, wait)


@imports.command("undo")
@click.argument("job_or_batch")
@waiting
@click.pass_context
def undo_command(context: click.Context, job_or_batch: str, wait: bool) -> None:
    """Take back what an import did; rows that were changed since are kept and counted."""

    def ask(session: Session, wish: Wish) -> Asked:
        batch = get_batch_of(session, wish=wish, typed=job_or_batch)
        return orders.ask_to_undo(session, batch=batch, wish=wish)

    end(context, ask, wait)


@imports.command("redo")
@click.argument("job_or_batch")
@waiting
@click.pass_context
def redo_command(context: click.Context, job_or_batch: str, wait: bool) -> None:
    """Do again an import that was undone; rows that were changed since are left and counted."""

    def ask(session: Session, wish: Wish) -> Asked:
        batch = get_batch_of(session, wish=wish, typed=job_or_batch)
        return orders.ask_to_redo(session, batch=batch, wish=wish)

    end(context, ask, wait)


@imports.command("list")
@click.option("--table", default="", help="Only imports into this table.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@click.pass_obj
def list_command(shell: Any, table: str, limit: int) -> None:
    """Show imports and dry runs, the newest first."""
    with shell.runtime.reads() as session:
        found = list_page(
            session,
            runtime=shell.runtime,
            actor=shell.actor,
            wanted=Wanted(table=table),
            limit=limit,
        )
    lines = list(map(telling.line_of, found)) or ["There are no imports."]
    tell(shell, list(map(telling.line_facts, found)), lines)


@imports.command("show")
@click.argument("job_or_batch")
@click.pass_obj
def show_command(shell: Any, job_or_batch: str) -> None:
    """Show one import: what it came to, what it changes, the first of its bad rows."""
    with shell.runtime.reads() as session:
        seen = view_import(session, wish=wish_of(shell), typed=job_or_batch)
    tell(shell, telling.import_facts(seen), telling.import_lines(seen))


@imports.command("template")
@click.argument("table")
@click.option("--format", "form", type=_FORMATS, default=str(TemplateFormat.CSV))
@click.option("--output", type=_OUTPUT, required=True, help="The file that is written.")
@click.option("--described", is_flag=True, help="With a row that says what each column takes.")
@click.pass_obj
def template_command(shell: Any, table: str, form: str, output: Path, described: bool) -> None:
    """Write an empty file for rows of TABLE."""
    content = table_template(
        shell.runtime,
        processors=shell.processors,
        actor=shell.actor,
        table=table,
        form=TemplateFormat(form),
        described=described,
    )
    with written_aside(output.absolute(), mode=0o644) as target:
        target.write(content)
    tell(shell, {"file": str(output), "table": table, "format": form}, [str(output)])


def _worded(
    *,
    table: str,
    mode: str,
    partial: bool,
    pairs: tuple[str, ...],
    key: tuple[str, ...],
    empty: tuple[str, ...],
    constants: tuple[str, ...],
    profile: str,
    **reading: str,
) -> dict[str, Any]:
    """The parts of an order that the options say."""
    return {
        "table": table,
        "mode": ImportMode(mode),
        "partial": partial,
        "profile": profile,
        "reading": {name: reading[name] for name in _READING if reading[name]},
        "fields": pairs_of(pairs, option="--map", shape="HEADER=COLUMN"),
        "treatment": treatment_of(
            empty=pairs_of(empty, option="--empty", shape="COLUMN=WORD"),
            constants=pairs_of(constants, option="--set", shape="COLUMN=VALUE"),
            key=key,
        ),
    }


imports.add_command(create_table_command)
imports.add_command(pause_command)
imports.add_command(go_on_command)
