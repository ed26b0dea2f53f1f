"""The page of files on the server: what lies in the allowed folders, and taking one of them."""

from pathlib import PurePosixPath
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.imports.contents import Item, contents_of
from portal.imports.fitting import check_ending
from portal.imports.folders import store_from_folder
from portal.imports.paths import place_of_folder
from portal.imports.waiting import remember
from portal.settings import Settings
from portal.visible import visible
from portal.web.access import current_actor, go, protect
from portal.web.extensions import services
from portal.web.pages import page

SHOWN = 500
LIST = "/imports/folders"

bp = Blueprint("choosing", __name__)
protect(bp, Permission.IMPORTS_RUN)


@bp.get("/imports/folders")
def show_folder() -> Response:
    """What lies in a folder out of which files are imported."""
    settings = services().runtime.settings
    allowed = settings.imports_folders
    path = request.args.get("path", "") or (allowed[0] if len(allowed) == 1 else "")
    found, fault = _contents(settings, path)
    return page(
        "imports/folders.html",
        allowed=allowed,
        path=path,
        trail=_trail(settings, path) if path else [],
        items=found[:SHOWN],
        more=max(0, len(found) - SHOWN),
        fault=fault,
        folder_url=folder_url,
    )


@bp.post("/imports/folders")
def take_file() -> Response:
    """Take a copy of a file; its page then asks the same as that of one that was sent."""
    runtime, actor = services().runtime, current_actor()
    path = request.form.get("path", "")
    try:
        check_ending(PurePosixPath(path).name)
        stored = store_from_folder(runtime, path=path, actor=actor)
    except (InvalidError, ConflictError, NotFoundError) as error:
        flash(f"{visible(PurePosixPath(path).name)}: {error}", "error")
        return go(folder_url(str(PurePosixPath(path).parent)) if path else LIST)
    remember(runtime.settings, stored, actor=actor)
    return go(f"/imports/new/{stored.id}")


def folder_url(path: str) -> str:
    """The page of a folder."""
    return f"{LIST}?{urlencode({'path': path})}"


def _contents(settings: Settings, path: str) -> tuple[list[Item], str]:
    """What there is, or why an allowed folder cannot be shown."""
    try:
        return contents_of(settings, path) if path else [], ""
    except (ConflictError, NotFoundError) as error:
        if path not in settings.imports_folders:
            raise
        return [], f"{error} Tell an administrator: it is one of PORTAL_IMPORTS_FOLDERS."


def _trail(settings: Settings, path: str) -> list[tuple[str, str]]:
    """The folders on the way to `path` and itself, each with its page, from the allowed one on."""
    folder, names = place_of_folder(settings, path)
    whole = [folder.joinpath(*names[:depth]) for depth in range(len(names) + 1)]
    labels = [str(folder), *names]
    return [(visible(label), folder_url(str(at))) for label, at in zip(labels, whole, strict=True)]
