"""A file that was sent: looked at, mapped to a table, tried out or imported."""

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.errors import InvalidError
from portal.imports.creating.orders import may_create
from portal.imports.files import StoredFile
from portal.imports.forms import current_wish, tables_offered, words_of_mapping
from portal.imports.orders import ImportOrder, ask_to_import
from portal.imports.repeated import Earlier, find_earlier
from portal.imports.waiting import find_waiting, lend, path_of
from portal.imports.words import ImportMode, table_of
from portal.rows.forms import wish_of
from portal.rows.looking import Look, look
from portal.rows.mapping import saved_mappings
from portal.rows.processors import Mode
from portal.rows.profiles import NAME_LENGTH, save_profile
from portal.tables.addresses import address_of
from portal.tables.grants import place_of
from portal.web.access import current_actor, go, protect
from portal.web.extensions import services, session
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page

JOINED = "The very same was asked for already; here is that job."

bp = Blueprint("preparing", __name__)
protect(bp, Permission.IMPORTS_RUN)


@bp.get("/imports/new/<file_id>")
def show_file(file_id: str) -> Response:
    """A file with its first rows and what its columns would become; for htmx that part alone."""
    return _shown(_context(_file(file_id)))


@bp.post("/imports/look/<file_id>")
def look_again(file_id: str) -> Response:
    """A file as it was mapped on its page so far; it is only looked at, and nothing is kept."""
    return _shown(_context(_file(file_id)))


@bp.post("/imports/new/<file_id>")
def create_import(file_id: str) -> Response:
    """Try the file out, or import it, as it was mapped on its page."""
    stored = _file(file_id)
    seen = _look(stored)
    if seen.processor is None or seen.mode is None or seen.faults:
        return page("imports/new.html", 422, **_context(stored))
    order = _order(stored, seen, table=table_of(seen.processor.name), mode=seen.mode)
    if request.form.get("save_as", "").strip():
        _save_mapping(seen, seen.processor.name, seen.mode)
    asked = ask_to_import(session(), order=order, wish=current_wish())
    session().commit()
    if asked.joined:
        flash(JOINED, "info")
    return go(f"/imports/{asked.job.id}")


def _file(file_id: str) -> StoredFile:
    settings = services().runtime.settings
    return find_waiting(settings, file_id=file_id, actor=current_actor())


def _look(stored: StoredFile) -> Look:
    runtime = services().runtime
    return look(
        path_of(runtime.settings, stored),
        name=stored.name,
        wish=wish_of(request.values),
        processors=tables_offered(current_actor()),
        known=saved_mappings(runtime),  # no write lock while a file is looked at
    )


def _order(stored: StoredFile, seen: Look, *, table: str, mode: Mode) -> ImportOrder:
    more: dict[str, Any] = {
        "table": table,
        "mode": ImportMode.of(mode),
        "partial": request.form.get("partial") == "yes",
        "dry_run": request.form.get("action") != "import",
        "format": seen.format,
        "columns": seen.mapping,
        "treatment": seen.treatment,
    }
    asked = ImportOrder.of(stored, **more).as_args()
    lent = lend(services().runtime.settings, stored, asked=asked)
    return ImportOrder.of(lent, **more)


def _save_mapping(seen: Look, processor: str, mode: Mode) -> None:
    save_profile(
        session(),
        name=request.form["save_as"].strip()[:NAME_LENGTH],
        header=seen.preview.header,
        processor=processor,
        mode=mode,
        columns=seen.mapping,
        treatment=seen.treatment,
        actor=current_actor(),
        now=services().runtime.clock(),
    )


def _shown(context: dict[str, Any]) -> Response:
    if is_htmx():
        return fragment("imports/_new.html", **context)
    return page("imports/new.html", **context)


def _context(stored: StoredFile) -> dict[str, Any]:
    context: dict[str, Any] = {
        "file": stored,
        "look": None,
        "fault": "",
        "earlier": None,
        "templates_url": "",
        "may_create": may_create(current_actor()),
        "asked_mode": request.values.get("mode", ""),
        **words_of_mapping(),
        "save_as": request.values.get("save_as", ""),
        "partial": request.values.get("partial") == "yes",
    }
    try:
        seen = _look(stored)
    except InvalidError as error:
        return context | {"fault": str(error)}
    if _is_hopeless(seen, stored.size):
        return context | {"fault": str(seen.preview.fault)}
    if seen.processor is None or seen.mode is None:
        return context | {"look": seen}
    table = table_of(seen.processor.name)
    return context | {
        "look": seen,
        "earlier": _earlier(stored, table, seen.mode),
        "templates_url": f"/imports/tables/{quote(address_of(table))}",
    }


def _is_hopeless(seen: Look, size: int) -> bool:
    """Whether there is nothing to see, in whatever way the file is read."""
    without = seen.preview.fault is not None and not seen.preview.header
    return without and (size == 0 if seen.format.kind == "csv" else len(seen.sheets) < 2)


def _earlier(stored: StoredFile, table: str, mode: Mode) -> Earlier | None:
    runtime = services().runtime
    with runtime.reads() as reader:
        return find_earlier(
            reader,
            table=table,
            mode=mode,
            sha256=stored.sha256,
            place=place_of(runtime.settings),
        )
