"""`portal imports create-table`: a table out of a file, filled at once."""

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from portal.errors import InvalidError
from portal.imports.creating.drafts import Draft, check, propose
from portal.imports.creating.orders import ask_to_create, check_may_create
from portal.imports.creating.surveys import Surveyed, read_as
from portal.imports.creating.telling import draft_facts, draft_lines
from portal.imports.files import store_file
from portal.imports.orders import Asked, ImportOrder
from portal.imports.shell.commands import end
from portal.imports.wording import pairs_of
from portal.jobs.shell.commands import tell, waiting
from portal.rows.batch_kinds import Wish
from portal.rows.rule_texts import number_like
from portal.tables.creating import taken_names
from portal.tables.new_tables import ColumnKind, NewColumn
from portal.tabular.survey.file import survey

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DECIMAL = re.compile(r"decimal\((\d{1,4}),(\d{1,4})\)")
_NO_KEY = "-"
_TYPES = "|".join(kind for kind in ColumnKind if kind is not ColumnKind.DECIMAL)
_Change = Callable[[NewColumn], NewColumn]


@click.command("create-table")
@click.argument("file", type=_FILE)
@click.option("--table", default="", help="The table's name; else that of the file.")
@click.option("--name", "names", multiple=True, metavar="HEADER=COLUMN", help="A column's name.")
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="HEADER=TYPE",
    help=f"{_TYPES}|decimal(DIGITS,SCALE).",
)
@click.option(
    "--number",
    "numbers",
    multiple=True,
    metavar="HEADER=EXAMPLE",
    help="How the file writes 1234.56, such as 1.234,56; else it is found.",
)
@click.option("--required", multiple=True, metavar="HEADER", help="It may not be empty.")
@click.option("--optional", multiple=True, metavar="HEADER", help="It may be empty.")
@click.option(
    "--key", multiple=True, metavar="HEADER", help=f"It names a row; {_NO_KEY} for none of them."
)
@click.option("--leave-out", multiple=True, metavar="HEADER", help="It becomes no column.")
@click.option("--partial", "good_rows", is_flag=True, help="Import good rows in spite of bad ones.")
@click.option("--encoding", default="", help="Like utf-8 or cp1252; else it is found.")
@click.option("--delimiter", default="", help="A name like semicolon or tab, or the sign.")
@click.option("--sheet", default="", help="The sheet of a spreadsheet; else the first.")
@click.option("--dry-run", is_flag=True, help="Only say what the table would be.")
@waiting
@click.pass_context
def create_table_command(
    context: click.Context,
    /,
    file: Path,
    encoding: str,
    delimiter: str,
    sheet: str,
    good_rows: bool,
    dry_run: bool,
    wait: bool,
    **changes: Any,
) -> None:
    """Make a table that fits all rows of FILE, and import them into it."""
    shell: Any = context.obj
    check_may_create(shell.actor)
    reading = {"encoding": encoding, "delimiter": delimiter, "sheet": sheet}
    seen = _surveyed(file, {name: said for name, said in reading.items() if said})
    draft = _draft(shell, seen, file, **changes)
    if dry_run:
        tell(shell, draft_facts(draft, seen.survey), draft_lines(draft, seen.survey))
        return
    with file.open("rb") as stream:
        stored = store_file(shell.runtime, stream=stream, name=file.name, actor=shell.actor)
    order = ImportOrder.of(
        stored,
        table=draft.name,
        partial=good_rows,
        format=seen.format,
        columns=draft.mapping,
        treatment=draft.treatment,
    )

    def ask(session: Session, wish: Wish) -> Asked:
        return ask_to_create(session, table=draft.table, order=order, wish=wish)

    end(context, ask, wait)


def _surveyed(file: Path, reading: Mapping[str, str]) -> Surveyed:
    fmt = read_as(file, name=file.name, reading=reading)
    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        return Surveyed(format=fmt, survey=survey(file, fmt, folder=Path(folder)))


def _draft(shell: Any, seen: Surveyed, file: Path, *, table: str, **changes: Any) -> Draft:
    """What is proposed, as it was changed; raises InvalidError with all that is wrong with it."""
    runtime = shell.runtime
    taken, dialect = taken_names(runtime), runtime.tables.dialect.name
    proposed = propose(seen.survey, file_name=file.name, taken=taken, dialect=dialect)
    headers = [column.header for column in seen.survey.columns]
    draft = _changed(proposed, headers, **changes)
    draft = replace(draft, name=table) if table else draft
    if faults := check(draft, taken=taken, dialect=dialect, kind=seen.format.kind):
        raise InvalidError(" ".join(faults.told(headers)))
    return draft


def _changed(
    draft: Draft,
    headers: list[str],
    *,
    names: tuple[str, ...],
    types: tuple[str, ...],
    numbers: tuple[str, ...],
    required: tuple[str, ...],
    optional: tuple[str, ...],
    key: tuple[str, ...],
    leave_out: tuple[str, ...],
) -> Draft:
    """The draft with the changes that the options say."""
    keys = [header for header in key if header != _NO_KEY]
    named = pairs_of(names, option="--name", shape="HEADER=COLUMN")
    typed = pairs_of(types, option="--type", shape="HEADER=TYPE")
    steps: list[tuple[str, _Change]] = []
    steps += [(header, partial(replace, key=False)) for header in headers if key]
    steps += [(header, partial(replace, name=name)) for header, name in named.items()]
    steps += [(header, partial(_typed, said=said)) for header, said in typed.items()]
    steps += [(header, partial(replace, required=False)) for header in optional]
    steps += [(header, partial(replace, required=True)) for header in required]
    steps += [(header, partial(replace, key=True, required=True)) for header in keys]
    parts = list(draft.parts)
    for header, change in steps:
        place = _place(headers, header)
        parts[place] = replace(parts[place], column=change(parts[place].column))
    for header, example in pairs_of(numbers, option="--number", shape="HEADER=EXAMPLE").items():
        place = _place(headers, header)
        parts[place] = replace(parts[place], number=number_like(example))
    for header in leave_out:
        place = _place(headers, header)
        parts[place] = replace(parts[place], left_out=True)
    return replace(draft, parts=tuple(parts))


def _typed(column: NewColumn, said: str) -> NewColumn:
    decimal = _DECIMAL.fullmatch(said)
    if decimal:
        digits, scale = map(int, decimal.groups())
        return replace(column, kind=ColumnKind.DECIMAL, digits=digits, scale=scale)
    if said == ColumnKind.DECIMAL or said not in set(ColumnKind):
        raise InvalidError(f"{said!r} is no type; there are {_TYPES}|decimal(DIGITS,SCALE).")
    return replace(column, kind=ColumnKind(said), digits=0, scale=0)


def _place(headers: list[str], header: str) -> int:
    if header.strip() not in headers:
        raise InvalidError(f"The file has no column {header!r}; it has {', '.join(headers)}.")
    return headers.index(header.strip())
