"""What the pages of imports take from people, and what they are told with."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import flash, request

from portal.accounts.permissions import Actor
from portal.errors import InvalidError
from portal.imports.files import StoredFile, store_file
from portal.imports.fitting import check_ending
from portal.imports.listing import Wanted
from portal.imports.orders import ImportOrder
from portal.imports.waiting import remember
from portal.imports.words import ImportMode, processor_of
from portal.jobs.models import JobState
from portal.jobs.views import WORDS
from portal.rows.batch_kinds import Wish
from portal.rows.forms import mapping_query, mapping_words
from portal.rows.processors import Mode, Processor
from portal.tables.processors import PREFIX
from portal.web.access import current_actor
from portal.web.extensions import services
from portal.web.numbers import number
from portal.web.signed_in import address

TEXT_LENGTH = 200
MODE_WORDS = {mode: str(ImportMode.of(mode)) for mode in Mode}
MODE_LABELS = {
    ImportMode.INSERT: "insert: new rows only",
    ImportMode.UPDATE: "update: change rows that are there",
    ImportMode.UPSERT: "upsert: change rows that are there, insert the others",
    ImportMode.DELETE: "delete: remove rows that are there",
}
STATES = [("", "Any state"), *((str(state), WORDS[state]) for state in JobState)]


def wanted_from(asked: Mapping[str, str], *, table: str = "") -> Wanted:
    """Which imports an address asks for; what makes no sense asks for nothing."""
    state = asked.get("state", "")
    return Wanted(
        table=table or asked.get("table", ""),
        state=state if state in set(JobState) else "",
        text=asked.get("text", "").strip()[:TEXT_LENGTH],
        before=_number(asked.get("before", "")),
    )


def query_of(wanted: Wanted, *, before: int = 0) -> str:
    """The same as part of an address, beginning at a job."""
    said = {"table": wanted.table, "state": wanted.state, "text": wanted.text, "before": before}
    return urlencode({name: value for name, value in said.items() if value})


def take_upload() -> StoredFile | None:
    """Keep the file that a form sends; None where there is none to keep, and the page says why."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        flash("Choose a file first.", "error")
        return None
    runtime, actor = services().runtime, current_actor()
    try:
        check_ending(upload.filename)
        stored = store_file(runtime, stream=upload.stream, name=upload.filename, actor=actor)
    except InvalidError as error:
        flash(f"{upload.filename}: {error}", "error")
        return None
    remember(runtime.settings, stored, actor=actor)
    return stored


def chosen_with(form: Mapping[str, str]) -> dict[str, str]:
    """What was chosen together with a file, as its page takes it."""
    table, mode = form.get("table", ""), form.get("mode", "")
    said = {"processor": processor_of(table)} if table else {}
    if mode in set(ImportMode):
        said["mode"] = str(ImportMode(mode).rows_mode)
    return said


def again_url(file_id: str, order: ImportOrder) -> str:
    """The page of a file that waits, as it was filled in for `order`; empty without a file."""
    if not file_id or order.format is None or order.columns is None:
        return ""
    said = mapping_query(
        processor=processor_of(order.table),
        mode=order.mode.rows_mode,
        fmt=order.format,
        columns=order.columns,
        treatment=order.treatment,
    )
    said |= {"partial": "yes"} if order.partial else {}
    return f"/imports/new/{file_id}?{urlencode(said)}"


def tables_offered(actor: Actor) -> list[Processor]:
    """The tables that `actor` may import into, each with the modes granted to him."""
    offered = services().processors.offered(actor)
    return [processor for processor in offered if processor.name.startswith(PREFIX)]


def words_of_mapping() -> dict[str, Any]:
    """What the mapping form is told with, in the words of imports."""
    return mapping_words() | {"mode_words": MODE_WORDS, "processor_word": "Table"}


def current_wish() -> Wish:
    """Who asks on a page, and what jobs are made with."""
    found = services()
    return Wish(
        actor=current_actor(),
        now=found.runtime.clock(),
        kinds=found.kinds,
        waker=found.waker,
        processors=found.processors,
        runtime=found.runtime,
        address=address(),
    )


def _number(text: str) -> int:
    try:
        return max(0, number(text))
    except ValueError:
        return 0
