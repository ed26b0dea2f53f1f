"""The way of a file: looked at, mapped, tried out, processed; and its batch afterwards."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.datacenter import again, approving, orders
from portal.datacenter.backups import check_backup
from portal.datacenter.batches import list_batches, view_run
from portal.datacenter.folders import DataCenter, DataCenterFile
from portal.datacenter.latest import find_processor
from portal.datacenter.looking import look
from portal.datacenter.orders import REASONS, Asking, ProcessOrder
from portal.datacenter.processing.forms import mapping_url
from portal.datacenter.remembered import known_mappings
from portal.datacenter.restoring import UnknownOriginError, order_to_restore
from portal.datacenter.service import open_data_center
from portal.datacenter.steps import Folder
from portal.errors import InvalidError, NotFoundError
from portal.rows import service as batches
from portal.rows.forms import mapping_words, wish_of
from portal.rows.looking import Look
from portal.rows.processors import Mode
from portal.rows.profiles import save_profile
from portal.web.access import current_actor, go, protect, requires
from portal.web.extensions import services, session
from portal.web.hx import is_htmx
from portal.web.numbers import number
from portal.web.pages import fragment, page
from portal.web.signed_in import address

SHOWN = 50
GONE = "It may have been processed or deleted meanwhile; look in the data centre under Batches."

bp = Blueprint("processing", __name__)
protect(bp, Permission.DATACENTER_VIEW)


@bp.get("/datacenter/files/<path:file>")
def show_file(file: str) -> Response:
    """A file with its first rows and what its columns would become; for htmx that part alone."""
    found = _file(file)
    context = {"name": file, **_look_context(found)}
    if is_htmx():
        return fragment("datacenter/_look.html", **context)
    return page("datacenter/file.html", **context)


@bp.post("/datacenter/look/<path:file>")
def look_again(file: str) -> Response:
    """A file as it was mapped on its page so far; it is only looked at, and nothing is kept."""
    context = {"name": file, **_look_context(_file(file))}
    if is_htmx():
        return fragment("datacenter/_look.html", **context)
    return page("datacenter/file.html", **context)


@bp.post("/datacenter/files/<path:file>")
@requires(Permission.DATACENTER_EDIT)
def process_file(file: str) -> Response:
    """Try a file out, or process it, as it was mapped on its page."""
    found = _file(file)
    seen = _look(found)
    if seen.processor is None or seen.mode is None or seen.faults:
        return page("datacenter/file.html", 422, name=file, **_look_context(found))
    order = _order(found, seen, seen.processor.name, seen.mode)
    if request.form.get("save_as", "").strip():
        _save_mapping(seen, seen.processor.name, seen.mode)
    submitted = orders.ask_to_process(session(), order=order, center=_center(), asking=_asking())
    session().commit()
    if submitted.joined:
        flash("Somebody asked for the very same already; here is that job.", "info")
    return go(f"/datacenter/runs/{submitted.job.id}")


@bp.post("/datacenter/restore/<path:file>")
@requires(Permission.IMPORTS_RUN)
def restore_file(file: str) -> Response:
    """Make the removed records of a backup again; if nobody knows what they are, its page asks."""
    center, asking = _center(), _asking()
    try:
        order = order_to_restore(services().runtime, center=center, asking=asking, file=file)
    except UnknownOriginError as error:
        flash(f"{error} Say what they are.", "warning")
        return go(f"/datacenter/files/{quote(file)}")
    submitted = orders.ask_to_process(session(), order=order, center=center, asking=asking)
    session().commit()
    return go(f"/datacenter/runs/{submitted.job.id}")


@bp.get("/datacenter/batches")
def show_batches() -> Response:
    """What was done with files, the newest first."""
    before = request.args.get("before", 0, type=number)
    found = list_batches(session(), before=before, limit=SHOWN + 1)
    older = f"/datacenter/batches?before={found[SHOWN - 1].number}" if len(found) > SHOWN else None
    titles = services().processors.titles(current_actor())
    return page("datacenter/batches.html", batches=found[:SHOWN], older_url=older, titles=titles)


@bp.get("/datacenter/runs/<run_id>")
def show_run(run_id: str) -> Response:
    """A job with its batch and what became of the rows; for htmx the batch alone."""
    run = view_run(session(), asking=_asking(), runtime=services().runtime, job_id=run_id)
    may_run = current_actor().may(Permission.IMPORTS_RUN)
    context: dict[str, Any] = {
        "run": run,
        "actor_may_run": may_run,
        "mapping_url": mapping_url(run),
    }
    if is_htmx():
        return fragment("datacenter/_batch.html", **context)
    return page("datacenter/run.html", **context)


@bp.post("/datacenter/runs/<run_id>/apply")
@requires(Permission.IMPORTS_RUN)
def apply_plan(run_id: str) -> Response:
    """Process the file just as it was tried out; refused where the file is another one now."""
    asking = _asking()
    run = view_run(session(), asking=asking, runtime=services().runtime, job_id=run_id)
    if run.order is None or run.batch is None or not run.batch.order.dry_run:
        raise NotFoundError("There is no dry run to apply.")
    order = replace(run.order, dry_run=False, sha256=run.batch.order.sha256)
    submitted = orders.ask_to_process(session(), order=order, center=_center(), asking=asking)
    session().commit()
    return go(f"/datacenter/runs/{submitted.job.id}")


@bp.post("/datacenter/batches/<batch_id>/pause")
@requires(Permission.IMPORTS_RUN)
def pause_batch(batch_id: str) -> Response:
    """Let the batch stop at its next safe point, to go on later."""
    batch = batches.get_batch(session(), batch_id=batch_id)
    orders.ask_to_pause(session(), batch=batch, asking=_asking())
    session().commit()
    flash("The batch pauses at its next safe point.", "info")
    return _back(batch_id)


@bp.post("/datacenter/batches/<batch_id>/go-on")
@requires(Permission.IMPORTS_RUN)
def go_on(batch_id: str) -> Response:
    """Do what is left of a batch, or give the rest up and put its files in their place."""
    batch = batches.get_batch(session(), batch_id=batch_id)
    give_up = request.form.get("give_up") == "yes"
    submitted = again.go_on(session(), batch, center=_center(), asking=_asking(), give_up=give_up)
    session().commit()
    return go(f"/datacenter/runs/{submitted.job.id}")


@bp.post("/datacenter/batches/<batch_id>/approve")
@requires(Permission.IMPORTS_RUN)
def approve_removal(batch_id: str) -> Response:
    """Approve a removal as the second person, and let it go on."""
    batch = batches.get_batch(session(), batch_id=batch_id)
    submitted = approving.approve(session(), batch=batch, center=_center(), asking=_asking())
    session().commit()
    return go(f"/datacenter/runs/{submitted.job.id}")


@bp.post("/datacenter/batches/<batch_id>/undo")
@requires(Permission.IMPORTS_RUN)
def undo_batch(batch_id: str) -> Response:
    """Take back what a batch did to the records."""
    batch = batches.get_batch(session(), batch_id=batch_id)
    submitted = orders.ask_to_undo(session(), batch=batch, asking=_asking())
    session().commit()
    return go(f"/datacenter/runs/{submitted.job.id}")


def _center() -> DataCenter:
    return open_data_center(services().runtime)


def _file(name: str) -> DataCenterFile:
    """A file of the root, or a backup of removed records."""
    center = _center()
    start, slash, rest = name.partition("/")
    if not slash:
        return _waiting(center, name)
    if start not in REASONS:
        raise NotFoundError("There is no such file.")
    found = services()
    with found.runtime.reads() as reader:
        actor, processors = current_actor(), found.processors
        check_backup(reader, name=rest, actor=actor, processors=processors)
    return center.get_file(rest, Folder(start))


def _waiting(center: DataCenter, name: str) -> DataCenterFile:
    try:
        return center.get_file(name)
    except NotFoundError as error:
        raise NotFoundError(f"{error} {GONE}") from error


def _folder(file: DataCenterFile) -> Folder:
    folder = file.path.parent.name
    return Folder(folder) if folder in REASONS else Folder.ROOT


def _look(file: DataCenterFile) -> Look:
    return look(
        file,
        wish=wish_of(request.values, processor=_processor_before(file)),
        processors=services().processors.offered(current_actor()),
        known=known_mappings(services().runtime, file),  # no write lock while a file is looked at
    )


def _processor_before(file: DataCenterFile) -> str:
    """That of the batch that left the file, if it is a pending one or a backup."""
    with services().runtime.reads() as reader:
        return find_processor(reader, name=file.name, folder=_folder(file))


def _save_mapping(seen: Look, processor: str, mode: Mode) -> None:
    save_profile(
        session(),
        name=request.form["save_as"].strip()[:128],
        header=seen.preview.header,
        processor=processor,
        mode=mode,
        columns=seen.mapping,
        treatment=seen.treatment,
        actor=current_actor(),
        now=services().runtime.clock(),
    )


def _order(file: DataCenterFile, seen: Look, processor: str, mode: Mode) -> ProcessOrder:
    return ProcessOrder(
        name=file.name,
        folder=_folder(file),
        processor=processor,
        mode=mode,
        format=seen.format,
        columns=seen.mapping,
        treatment=seen.treatment,
        sha256=request.form.get("sha256", ""),
        reason=_reason(request.form.get("reason", "")),
        dry_run=request.form.get("action") != "process",
    )


def _reason(text: str) -> Folder:
    return Folder.GRADUATED if text == Folder.GRADUATED else Folder.DELETED


def _asking() -> Asking:
    found = services()
    return Asking(
        actor=current_actor(),
        now=found.runtime.clock(),
        kinds=found.kinds,
        waker=found.waker,
        processors=found.processors,
        address=address(),
    )


def _back(batch_id: str) -> Response:
    batch = batches.get_batch(session(), batch_id=batch_id)
    return go(f"/datacenter/runs/{batch.job_id}" if batch.job_id else "/datacenter/batches")


def _look_context(file: DataCenterFile) -> dict[str, Any]:
    actor = current_actor()
    context: dict[str, Any] = {
        "file": file,
        "folder": _folder(file),
        "look": None,
        "fault": "",
        **mapping_words(),
        "save_as": request.values.get("save_as", ""),
        "may_plan": actor.may(Permission.DATACENTER_EDIT),
        "may_run": actor.may(Permission.IMPORTS_RUN),
        "reason": _reason(request.values.get("reason", "")),
    }
    try:
        context["look"] = _look(file)
    except InvalidError as error:
        context["fault"] = str(error)
    return context
