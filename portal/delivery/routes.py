"""The pages of delivery: the list of channels; what else there is is registered here."""

from typing import Any

from flask import Blueprint, Response, request

from portal.accounts.permissions import Permission
from portal.delivery.at_work.routes import bp as at_work
from portal.delivery.endpoints import list_endpoints
from portal.delivery.forms import DIRECTIONS, MOODS, query_of, wanted_from
from portal.delivery.handing_over.routes import bp as handing_over
from portal.delivery.overview import is_active, list_lines
from portal.delivery.past.routes import bp as past
from portal.delivery.servers.routes import bp as servers
from portal.delivery.setup.routes import bp as setup
from portal.web.access import current_actor, protect
from portal.web.extensions import services, session
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page

bp = Blueprint("delivery", __name__)
protect(bp, Permission.DELIVERY_OPERATE)
bp.register_blueprint(at_work)
bp.register_blueprint(setup)
bp.register_blueprint(servers)
bp.register_blueprint(past)
bp.register_blueprint(handing_over)


@bp.get("/delivery")
def list_channels() -> Response:
    """All channels and how they stand; for htmx the list alone."""
    context = _list()
    if is_htmx():
        return fragment("delivery/_channels.html", **context)
    servers = list_endpoints(session(), actor=current_actor())
    return page(
        "delivery/index.html",
        **context,
        has_servers=bool(servers),
        moods=MOODS,
        directions=DIRECTIONS,
    )


def _list() -> dict[str, Any]:
    wanted = wanted_from(request.args)
    lines = list_lines(session(), runtime=services().runtime, actor=current_actor(), wanted=wanted)
    return {
        "lines": lines,
        "wanted": wanted,
        "query": query_of(wanted),
        "active": is_active(lines),
    }
