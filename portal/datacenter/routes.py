"""The pages of the data centre: files that wait, files that are done, uploading and deleting."""

from typing import Any

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.artifacts.handouts import deliver_base
from portal.datacenter.acceptance import MEGABYTE, SAME_NAME, PendingStandsError
from portal.datacenter.backups import check_backup
from portal.datacenter.disk import digest_of
from portal.datacenter.folders import DataCenter, readable_size
from portal.datacenter.handout import NAME as FINISHED
from portal.datacenter.listing import list_files
from portal.datacenter.processing.routes import bp as processing
from portal.datacenter.removal import delete_files
from portal.datacenter.rules.routes import bp as rules
from portal.datacenter.service import open_data_center
from portal.datacenter.steps import Folder
from portal.datacenter.upkeep.routes import bp as upkeep
from portal.datacenter.uploads import Accepted, Upload, accept_upload
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.web.access import answers_file, current_actor, go, protect, requires
from portal.web.extensions import services, session
from portal.web.files import send_file
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page
from portal.web.signed_in import address

SHOWN = 200
RENAME = "Rename yours, or delete the earlier one under Waiting, Finished or Unfinished."
BACKUPS = (Folder.DELETED, Folder.GRADUATED)
LISTED = (Folder.FINISHED, Folder.UNFINISHED, *BACKUPS)

bp = Blueprint("datacenter", __name__)
protect(bp, Permission.DATACENTER_VIEW)
bp.register_blueprint(processing)
bp.register_blueprint(upkeep)
bp.register_blueprint(rules)


@bp.get("/datacenter")
def show_files() -> Response:
    """The files that wait to be processed; for htmx the list alone."""
    text = _asked()
    context = _list(Folder.ROOT, text)
    if is_htmx():
        return fragment("datacenter/_files.html", **context)
    return page("datacenter/index.html", **context, **_bounds())


@bp.get("/datacenter/folders/<folder>")
def show_folder(folder: str) -> Response:
    """The files of one of the folders; for htmx the list alone."""
    context = _list(_folder(folder), _asked())
    if is_htmx():
        return fragment("datacenter/_files.html", **context)
    return page("datacenter/folder.html", **context)


@bp.post("/datacenter")
@requires(Permission.DATACENTER_EDIT)
def upload_files() -> Response:
    """Take in one file or several; each is taken or refused on its own."""
    files = [file for file in request.files.getlist("files") if file.filename]
    if not files:
        flash("Choose a file first.", "error")
        return go("/datacenter")
    replace = request.form.get("replace") == "yes"
    for file in files:
        upload = Upload(name=file.filename or "", stream=file.stream, replace=replace)
        _accept(upload)
    return go("/datacenter")


@bp.post("/datacenter/delete")
@requires(Permission.DATACENTER_EDIT)
def delete_chosen() -> Response:
    """Delete the chosen files for good."""
    folder = _folder(request.form.get("folder", "")) if request.form.get("folder") else Folder.ROOT
    try:
        gone = delete_files(
            services().runtime,
            wanted=request.form.getlist("name"),
            folder=folder,
            actor=current_actor(),
            address=address(),
        )
        flash(f"Successfully deleted: {', '.join(gone)}", "success")
    except (InvalidError, ConflictError, NotFoundError) as error:
        flash(str(error), "error")
    return go(_url(folder))


@bp.get("/datacenter/download/<path:file>")
@answers_file
def download_file(file: str) -> Response:
    """One file of the root, or of a folder, under the name that people know."""
    folder, name = Folder.ROOT, file
    if "/" in file:
        start, _, name = file.partition("/")
        folder = _folder(start)
    if folder in BACKUPS:
        actor, processors = current_actor(), services().processors
        check_backup(session(), name=name, actor=actor, processors=processors)
    found = _center().get_file(name, folder)
    digest = digest_of(found.path)
    if digest is None:
        raise NotFoundError("This file was just moved; look for it in the other folders.")
    return send_file(
        found.path,
        name=found.shown,
        size=found.entry.size,
        sha256=digest,
        media_type="text/csv" if found.name.endswith(".csv") else "application/octet-stream",
    )


def _accept(upload: Upload) -> None:
    try:
        accepted = accept_upload(
            services().runtime, upload=upload, actor=current_actor(), address=address()
        )
    except PendingStandsError as error:
        flash(f"{upload.name}: {error} Tick “Replace pending files” and send it again.", "warning")
    except (InvalidError, ConflictError) as error:
        what_to_do = f". {RENAME}" if str(error) == SAME_NAME else ""
        flash(f"{upload.name}: {error}{what_to_do}", "error")
    else:
        flash(_taken_in(upload, accepted), "success" if accepted.rows else "warning")


def _taken_in(upload: Upload, accepted: Accepted) -> str:
    rows = f"{accepted.rows:,} row" + ("" if accepted.rows == 1 else "s")
    repairs = f" It repairs {accepted.repairs}." if accepted.repairs else ""
    empty = "" if accepted.rows else " It has a header, but nothing to process."
    return f"{upload.name}: {rows}, {readable_size(accepted.size)}.{repairs}{empty}"


def _list(folder: Folder, text: str) -> dict[str, Any]:
    lines = list_files(session(), center=_center(), folder=folder, text=text)
    actor = current_actor()
    return {
        "lines": lines[:SHOWN],
        "more": max(0, len(lines) - SHOWN),
        "folder": folder,
        "here": _url(folder),
        "text": text,
        "may_edit": actor.may(Permission.DATACENTER_EDIT) and folder not in BACKUPS,
        "may_run": actor.may(Permission.IMPORTS_RUN),
        "is_backup": folder in BACKUPS,
        "deliver": deliver_base(actor, FINISHED) if folder is Folder.FINISHED else "",
    }


def _bounds() -> dict[str, Any]:
    settings = services().runtime.settings
    return {
        "most_mb": settings.upload_limit_mb * MEGABYTE,
        "most_files": settings.datacenter_max_pending,
    }


def _center() -> DataCenter:
    return open_data_center(services().runtime)


def _folder(name: str) -> Folder:
    found = next((folder for folder in LISTED if folder == name), None)
    if found is None:
        raise NotFoundError("There is no such folder.")
    return found


def _url(folder: Folder) -> str:
    return f"/datacenter/folders/{folder}" if folder else "/datacenter"


def _asked() -> str:
    return request.args.get("text", "").strip()[:200]
