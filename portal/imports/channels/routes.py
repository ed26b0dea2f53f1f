"""The pages of channels: which files they fetched, and taking one of them."""

from collections.abc import Sequence
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.artifacts.sources import OfferedFile
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.imports.copying import store_copy
from portal.imports.offered import OfferedPath, check_offered, importable, open_offered
from portal.imports.waiting import remember
from portal.visible import visible
from portal.web.access import current_actor, go, protect
from portal.web.extensions import services, session
from portal.web.pages import page

SOURCE = "channel"
LIST = "/imports/channels"
SHOWN = 500

bp = Blueprint("channels", __name__)
protect(bp, Permission.IMPORTS_RUN)


@bp.get("/imports/channels")
def show_channels() -> Response:
    """The channels that fetch files, or the files of one that can be imported."""
    actor, sources = current_actor(), services().sources
    source, name = sources.get(SOURCE), request.args.get("channel", "")
    may_take = source.may_take(actor)
    found = _files(name) if name and may_take else []
    return page(
        "imports/channels.html",
        may_take=may_take,
        name=name if may_take else "",
        places=source.places(session(), actor) if may_take and not name else [],
        files=[(one, str(_path(name, one.name))) for one in found[:SHOWN]],
        more=max(0, len(found) - SHOWN),
        pattern=str(_path(name, "*.csv")),
        channel_url=channel_url,
    )


@bp.post("/imports/channels")
def take_file() -> Response:
    """Take a copy of a file; its page then asks the same as that of one that was sent."""
    name, file = request.form.get("channel", ""), request.form.get("file", "")
    if not name or not file:
        flash("Choose a file first.", "error")
        return go(LIST)
    runtime, actor, path = services().runtime, current_actor(), str(_path(name, file))
    try:
        with open_offered(services().sources, session(), actor=actor, path=path) as source:
            stored = store_copy(runtime, source, path=path, actor=actor)
    except (InvalidError, ConflictError, NotFoundError) as error:
        flash(f"{visible(file)}: {error}", "error")
        return go(channel_url(name))
    remember(runtime.settings, stored, actor=actor)
    return go(f"/imports/new/{stored.id}")


def channel_url(name: str) -> str:
    """The page of a channel's files."""
    return f"{LIST}?{urlencode({'channel': name})}"


def _files(name: str) -> Sequence[OfferedFile]:
    sources, actor = services().sources, current_actor()
    check_offered(sources, session(), actor=actor, path=str(_path(name, "*")))
    return importable(sources, session(), actor=actor, source=SOURCE, place=name)


def _path(name: str, file: str) -> OfferedPath:
    return OfferedPath(source=SOURCE, place=name, name=file)
