"""An import and what came of it: shown, applied, undone, gone on with."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, flash

from portal.accounts.permissions import Permission
from portal.errors import ConflictError
from portal.imports import orders
from portal.imports.details import details_of
from portal.imports.forms import again_url, current_wish
from portal.imports.looking import get_batch_of, view_import
from portal.imports.orders import Asked
from portal.imports.phrases import counts_shown, undo_text
from portal.rows.batch import Batch
from portal.rows.service import PAUSING
from portal.tables.addresses import address_of
from portal.visible import visible
from portal.web.access import go, protect
from portal.web.extensions import services, session
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page

JOINED = "Somebody asked for that already; here is that job."

bp = Blueprint("results", __name__)
protect(bp, Permission.IMPORTS_RUN)


@bp.get("/imports/<import_id>")
def show_import(import_id: str) -> Response:
    """A job of imports with its rows; for htmx what became of the rows alone."""
    context = _context(import_id)
    if is_htmx():
        return fragment("imports/_import.html", **context)
    return page("imports/show.html", **context)


@bp.post("/imports/<import_id>/apply")
def apply_plan(import_id: str) -> Response:
    """Import the file just as a dry run planned it, or not at all."""
    return _ask(import_id, partial(orders.ask_to_apply, plan=_batch(import_id)))


@bp.post("/imports/<import_id>/undo")
def undo_import(import_id: str) -> Response:
    """Take back what an import did to its table."""
    return _ask(import_id, partial(orders.ask_to_undo, batch=_batch(import_id)))


@bp.post("/imports/<import_id>/pause")
def pause_import(import_id: str) -> Response:
    """Let an import of good rows rest at its next safe point."""
    try:
        orders.ask_to_pause(session(), batch=_batch(import_id), wish=current_wish())
    except ConflictError as error:  # it ended meanwhile
        flash(str(error), "info")
    session().commit()
    return go(f"/imports/{import_id}")


@bp.post("/imports/<import_id>/redo")
def redo_import(import_id: str) -> Response:
    """Do again what an import did, after it was undone."""
    return _ask(import_id, partial(orders.ask_to_redo, batch=_batch(import_id)))


@bp.post("/imports/<import_id>/go-on")
def go_on(import_id: str) -> Response:
    """Do the rows that are left of an import that was cut short."""
    return _ask(import_id, partial(orders.ask_to_go_on, batch=_batch(import_id)))


def _batch(import_id: str) -> Batch:
    with services().runtime.reads() as reader:
        return get_batch_of(reader, wish=current_wish(), typed=import_id)


def _ask(import_id: str, ask: Callable[..., Asked]) -> Response:
    """Ask, and follow the job. What cannot be done any more is told on the import's page."""
    try:
        asked = ask(session(), wish=current_wish())
    except ConflictError as error:
        session().rollback()
        flash(str(error), "warning")
        return go(f"/imports/{import_id}")
    session().commit()
    if asked.joined:
        flash(JOINED, "info")
    return go(f"/imports/{asked.job.id}")


def _context(import_id: str) -> dict[str, Any]:
    wish = current_wish()
    seen = view_import(session(), wish=wish, typed=import_id)
    details = details_of(session(), wish=wish, seen=seen)
    lines = seen.text.split("\n")
    return {
        "seen": seen,
        "details": details,
        "result_text": "\n".join(map(visible, lines)),
        "shown_counts": counts_shown(seen.batch) if seen.batch else [],
        "undo_text": undo_text(seen.batch.counts) if seen.batch else "",
        "pausing": PAUSING,
        "again_url": again_url(details.file_id, seen.order) if seen.order else "",
        "address_of": address_of,
    }
