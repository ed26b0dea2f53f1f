"""Asking for exports of tables and fetching them; also for those who may not browse tables."""

from typing import Any

from flask import Blueprint, Response, request

from portal.accounts.permissions import Permission
from portal.artifacts.handouts import ARTIFACT, deliver_base
from portal.artifacts.service import may_fetch
from portal.errors import InvalidError
from portal.jobs.views import JobView, view_job, view_latest
from portal.tables import exports, service
from portal.tables.actions import Action, Rights
from portal.tables.addresses import address_of, table_at
from portal.tables.files import FileFormat
from portal.tables.forms import ExportForm
from portal.tables.grants import SUBJECT, place_of, rights_of
from portal.tables.shapes import TableShape
from portal.web.access import current_actor, go, protect
from portal.web.extensions import services, session
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page
from portal.web.signed_in import address

bp = Blueprint("exporting", __name__)
protect(bp, Permission.TABLES_EXPORT)


@bp.get("/table-exports")
def list_exportable() -> Response:
    """The tables that one may export."""
    text = request.args.get("text", "").strip()
    shapes = service.tables_for(services().runtime, _rights(), actions=(Action.EXPORT,))
    shown = [shape for shape in shapes if text.casefold() in shape.name.casefold()]
    return page("tables/exportable.html", shapes=shown, text=text, address_of=address_of)


@bp.get("/table-exports/<table>")
def show_exports(table: str) -> Response:
    """The exports of a table and the way to another; for htmx the finished ones alone."""
    shape, settings = _exportable(table), services().runtime.settings
    here = f"/table-exports/{address_of(shape.name)}"
    owner = exports.owner_of(place_of(settings), shape.name)
    kept = exports.list_exports(session(), owner=owner, limit=settings.exports_kept)
    actor, owners = current_actor(), services().owners
    found = [one for one in kept if may_fetch(session(), owners=owners, actor=actor, artifact=one)]
    context: dict[str, Any] = {"here": here, "exports": found, "kept": settings.exports_kept}
    context["deliver"] = deliver_base(actor, ARTIFACT)
    if is_htmx():
        return fragment("tables/_exports.html", **context)
    return page(
        "tables/exports.html",
        form=ExportForm(),
        shape=shape,
        job=_latest_job(shape.name),
        may_browse=_rights().may_any(shape.name, service.SEEN),
        table_url=f"/tables/{address_of(shape.name)}",
        **context,
    )


@bp.post("/table-exports/<table>")
def create_export(table: str) -> Response:
    """Ask for an export; whoever asks again joins the one that is active."""
    form = ExportForm()
    if form.file_format.data not in set(FileFormat):
        raise InvalidError("A table is exported as csv or xlsx.")
    submitted = service.create_export(
        session(),
        runtime=services().runtime,
        actor=current_actor(),
        table=table_at(table),
        file_format=FileFormat(form.file_format.data),
        kinds=services().kinds,
        waker=services().waker,
        now=services().runtime.clock(),
        address=address(),
    )
    session().commit()
    if not is_htmx():
        return go(f"/table-exports/{table}")
    job = view_job(
        session(),
        runtime=services().runtime,
        kinds=services().kinds,
        actor=current_actor(),
        job=submitted.job,
    )
    return fragment("jobs/_job.html", job=job)


def _rights() -> Rights:
    return rights_of(session(), settings=services().runtime.settings, actor=current_actor())


def _exportable(table: str) -> TableShape:
    return service.get_table(
        services().runtime, _rights(), name=table_at(table), actions=(Action.EXPORT,)
    )


def _latest_job(table: str) -> JobView | None:
    """The newest export job of the table, in whichever format."""
    found = [
        view_latest(
            session(),
            runtime=services().runtime,
            kinds=services().kinds,
            actor=current_actor(),
            kind=service.EXPORT,
            subject_kind=SUBJECT,
            subject_id=f"{table}:{known}",
        )
        for known in FileFormat
    ]
    jobs = [job for job in found if job is not None]
    return max(jobs, key=lambda job: job.number, default=None)
