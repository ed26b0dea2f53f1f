"""The pages of past files: their history, those put aside, and what is decided on them."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.delivery.channels import list_channels
from portal.delivery.forms import whose
from portal.delivery.history import search_files
from portal.delivery.models import DeliveredFile
from portal.delivery.past.forms import STATES, query_of, sought_from
from portal.delivery.quarantine import (
    LISTED,
    count_as_delivered,
    list_aside,
    send_again,
    send_all_again,
)
from portal.delivery.signs import SIGNS
from portal.errors import ConflictError, NotFoundError
from portal.visible import visible
from portal.web.access import current_actor, go, protect
from portal.web.extensions import session
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page

SHOWN = 50
HISTORY, ASIDE = "/delivery/history", "/delivery/aside"
DECISIONS: dict[str, tuple[Callable[..., DeliveredFile], str]] = {
    "again": (send_again, "is sent again by the next run"),
    "accept": (count_as_delivered, "counts as delivered"),
}

bp = Blueprint("past", __name__)
protect(bp, Permission.DELIVERY_OPERATE)


@bp.get("/delivery/history")
def list_files() -> Response:
    """What became of files, the newest first; for htmx the list alone."""
    context = _history()
    if is_htmx():
        return fragment("delivery/_history.html", **context)
    return page("delivery/history.html", **context, states=STATES, channels=_channels())


@bp.get("/delivery/aside")
def list_put_aside() -> Response:
    """The files that wait for a decision; for htmx the list alone."""
    context = _aside()
    if is_htmx():
        return fragment("delivery/_aside.html", **context)
    return page("delivery/aside.html", **context, channels=_channels())


@bp.post("/delivery/files/<int:file_id>/<any(again,accept):decision>")
def decide(file_id: int, decision: str) -> Response:
    """Send a file again, or count it as delivered."""
    act, said = DECISIONS[decision]
    try:
        row = act(session(), file_id=file_id, **whose())
        session().commit()
        flash(f"{visible(row.name)} {said}.", "success")
    except (ConflictError, NotFoundError) as error:
        session().rollback()
        flash(str(error), "error")
    return go(_back())


@bp.post("/delivery/aside/again")
def retry_all() -> Response:
    """Send all files of the quarantine again, those of a channel or of all; no uncertain ones."""
    again, kept = send_all_again(session(), channel=request.form.get("channel", ""), **whose())
    session().commit()
    word = "file is" if again == 1 else "files are"
    flash(f"{again} {word} sent again by the next run.", "success" if again else "info")
    for said in kept[:3]:
        flash(said, "warning")
    return go(_back())


def _history() -> dict[str, Any]:
    sought = sought_from(request.args, limit=SHOWN + 1)
    found = search_files(session(), actor=current_actor(), sought=sought)
    shown = found[:SHOWN]
    older = query_of(sought, before=shown[-1][0].id) if len(found) > SHOWN else ""
    return {
        "files": shown,
        "signs": SIGNS,
        "sought": sought,
        "narrowed": bool(sought.text or sought.state or sought.sha256 or sought.channel),
        "one_channel": False,
        "older_url": f"{HISTORY}?{older}" if older else None,
        "newest_url": f"{HISTORY}?{query_of(sought)}" if sought.before else None,
    }


def _aside() -> dict[str, Any]:
    channel = request.args.get("channel", "")
    found = list_aside(session(), actor=current_actor(), channel=channel)
    return {"files": found, "signs": SIGNS, "channel": channel, "is_cut": len(found) == LISTED}


def _channels() -> list[tuple[str, str]]:
    found = list_channels(session(), actor=current_actor())
    return [("", "All channels"), *((one.name, visible(one.name)) for one in found)]


def _back() -> str:
    """The list that was looked at."""
    channel = request.form.get("channel", "")
    return f"{ASIDE}?{query_of(sought_from({'channel': channel}, limit=1))}".rstrip("?")
