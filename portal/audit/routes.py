"""The audit log, for those who may see it."""

from flask import Blueprint, Response, request

from portal.accounts.permissions import Permission
from portal.audit.listing import Wanted, list_entries
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
    return page("audit/list.html", found=found, wanted=wanted, older=wanted.older(found))
