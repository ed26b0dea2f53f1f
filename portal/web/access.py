"""Deny by default: a view answers only whom its declared permission names."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    request,
)
from flask_login import current_user

from portal.accounts.permissions import Actor, Permission
from portal.errors import PortalError
from portal.web.extensions import session
from portal.web.hx import is_htmx
from portal.web.paths import below_api

View = TypeVar("View", bound=Callable[..., Any])


class Access(StrEnum):
    """Declarations that are no permission: anybody, or any service with the metrics token."""

    PUBLIC = "public"
    METRICS = "metrics"


Declared = Permission | Access


def protect(blueprint: Blueprint, permission: Declared) -> None:
    """Declare what every view of `blueprint` needs, unless the view says otherwise."""
    blueprint.portal_permission = permission  # type: ignore[attr-defined]


def requires(permission: Declared) -> Callable[[View], View]:
    """Declare what this view needs."""

    def mark(view: View) -> View:
        view.portal_permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def answers_file(view: View) -> View:
    """Mark a view that hands out a file: a stranger gets a bare 401, no page."""
    view.portal_file = True  # type: ignore[attr-defined]
    return view


def with_one_time_password(view: View) -> View:
    """Mark a view that works while the one-time password still has to be changed."""
    view.portal_before_password = True  # type: ignore[attr-defined]
    return view


def declared(app: Flask, endpoint: str) -> Declared | None:
    """What the view at `endpoint` needs; None where nobody declared anything."""
    if endpoint == "static":
        return Access.PUBLIC
    view = app.view_functions.get(endpoint)
    own = getattr(view, "portal_permission", None)
    if own is not None:
        return cast("Declared", own)
    blueprint = app.blueprints.get(endpoint.rpartition(".")[0])
    return cast("Declared | None", getattr(blueprint, "portal_permission", None))


def current_actor() -> Actor:
    """Who asks. Only in views that need a permission; there somebody is always signed in."""
    return cast("Actor", current_user.actor)


def guard() -> Response | None:
    """Before every request: let through whom the view's declaration names, nobody else."""
    if request.endpoint is None:
        return None  # no such page; the router answers 404 or 405
    needed = declared(current_app, request.endpoint)
    if needed in (Access.PUBLIC, Access.METRICS):
        return None  # METRICS views check their token themselves
    if not current_user.is_authenticated:
        return abort(401) if below_api() else _ask_to_sign_in()
    if needed is None or not current_actor().may(needed):
        abort(403)
    if current_user.must_change_password and not _view_has("portal_before_password"):
        return go("/accounts/password")
    return None


def go(url: str) -> Response:
    """Send the browser to `url`: 303 for a page, HX-Redirect for htmx."""
    if is_htmx():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = url
        return response
    return cast("Response", redirect(url, 303))


def go_refused(error: PortalError, url: str) -> Response:
    """Take back what the request did, and say on the page at `url` why."""
    session().rollback()
    flash(str(error), "error")
    return go(url)


def safe_next(target: str | None) -> str:
    """Return `target` if it is a path of our own, else the dashboard.

    Browsers drop tabs and line ends and read a backslash as a slash (WHATWG URL), so neither may
    stand anywhere in it.
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return "/"
    unsafe = any(ord(char) <= 32 or ord(char) == 127 or char == "\\" for char in target)
    return "/" if unsafe else target


def _ask_to_sign_in() -> Response:
    if is_htmx():
        response = make_response("", 401)
        response.headers["HX-Redirect"] = f"/login?next={quote(_page_around())}"
        return response
    if _view_has("portal_file"):
        return make_response("Sign in to get this file.\n", 401)
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return cast("Response", redirect(f"/login?next={quote(here)}", 303))


def _page_around() -> str:
    """The page that the fragment stands in, as htmx names it."""
    try:
        parts = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return "/"
    return safe_next(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def _view_has(mark: str) -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, mark, False))
