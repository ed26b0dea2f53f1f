"""The audit log, for those who may see it."""

from flask import Blueprint, Response, request

from portal.accounts.permissions import Permission
from portal.audit.listing import LISTED, Wanted, list_entries
from portal.web.access import protect
from portal.web.extensions import session
from portal.web.pages import page

bp = Blueprint("audit", __name__)
protect(bp, Permission.AUDIT_VIEW)


@bp.get("/audit")
def list_audit() -> Response:
    """Who did what, newest first, filtered by the address line."""
    wanted = Wanted.from_words(request.args)
    found = list_entries(session(), wanted)
    full = len(found) == LISTED
    return page(
        "audit/list.html",
        found=found,
        wanted=wanted,
        newest_url=f"/audit?{wanted.words()}" if wanted.before is not None else None,
        older_url=f"/audit?{wanted.words(before=found[-1].id)}" if full else None,
    )
