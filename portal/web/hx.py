"""htmx, behind one typed accessor; htmx-flask is untyped and sends no Vary header."""

from flask import Response, request


def is_htmx() -> bool:
    """Say whether htmx asks for a fragment (a boosted page or a history miss wants the page)."""
    wanted = request.htmx  # type: ignore[attr-defined]  # set by htmx-flask's request class
    return bool(wanted) and not wanted.boosted and not wanted.history_restore_request


def trigger(response: Response, events: str) -> Response:
    """Let the page hear of an event (a name, or JSON of names and details)."""
    response.headers["HX-Trigger"] = events
    return response
