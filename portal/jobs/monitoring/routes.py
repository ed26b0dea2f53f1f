"""What machines ask for: whether the portal is well, and its figures."""

import json
import secrets
import time

from flask import Blueprint, Response, abort, make_response, request
from flask.blueprints import BlueprintSetupState
from flask_login import current_user

from portal.accounts.permissions import Permission
from portal.jobs.monitoring import health, metrics
from portal.jobs.monitoring.latency import LATENCY
from portal.web.access import Access, current_actor, protect, requires
from portal.web.extensions import services, session

BEGAN = "portal.began"

bp = Blueprint("monitoring", __name__)
protect(bp, Permission.METRICS_VIEW)


@bp.get("/healthz")
@requires(Access.PUBLIC)
def show_health() -> Response:
    """Whether database, Redis and a worker answer, a word for each."""
    words = health.words(services().runtime)
    status = 200 if health.well(words) else 503
    response = make_response(json.dumps(words), status)
    response.mimetype = "application/json"
    return response


@bp.get("/metrics")
@requires(Access.METRICS)
def show_metrics() -> Response:
    """The figures, for who has the token or the right; where one asks from is no right."""
    token = services().runtime.settings.metrics_token
    given = request.authorization.token if request.authorization else None
    known = bool(token and given and secrets.compare_digest(token.encode(), given.encode()))
    signed_in = current_user.is_authenticated and current_actor().may(Permission.METRICS_VIEW)
    if not known and not signed_in:
        abort(401)
    text, content_type = metrics.exposition(session(), runtime=services().runtime)
    return make_response(text, 200, {"Content-Type": content_type})


@bp.record_once
def _measure(state: BlueprintSetupState) -> None:
    """Take the time of every request, from before its guard on."""
    state.app.before_request_funcs.setdefault(None, []).insert(0, _begin)
    state.app.after_request(_end)


def _begin() -> None:
    request.environ[BEGAN] = time.perf_counter()


def _end(response: Response) -> Response:
    began = request.environ.get(BEGAN)
    if began is not None:
        LATENCY.observe(
            services().runtime.redis,
            endpoint=request.endpoint or "none",
            status=response.status_code,
            seconds=time.perf_counter() - began,
        )
    return response
