"""Errors become answers once, here: a page in plain words, or a toast for htmx."""

import json

import structlog
from flask import Flask, Response, make_response, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from portal.accounts.sign_in import TooManyAttemptsError
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, PortalError
from portal.web.api import API_SENTENCES, refusal
from portal.web.hx import is_htmx
from portal.web.pages import page
from portal.web.paths import below_api

STATUS: dict[type[PortalError], int] = {
    NotFoundError: 404,
    ForbiddenError: 403,
    ConflictError: 409,
    InvalidError: 422,
    TooManyAttemptsError: 429,
}
SENTENCES = {
    400: "The request was not understood. Go back, reload the page and try again.",
    401: "Sign in to see this.",
    403: "You are signed in, but this is not yours to do. Ask an administrator for the right.",
    404: "There is nothing here, or nothing that you may see.",
    405: "This address cannot be used that way.",
    413: "That is too large to be taken. The limit is named beside the upload field.",
    429: "That was tried too often. Wait a few minutes and try again.",
    500: "Something went wrong inside Portal. It was recorded; try again in a moment.",
    503: "Portal cannot reach its database right now. Nothing is lost; try again in a moment.",
}

log = structlog.get_logger("portal.web")


def register_errors(app: Flask) -> None:
    """Give `app` its error answers."""
    app.register_error_handler(PortalError, _portal_error)
    app.register_error_handler(CSRFError, _stale_page)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _no_database)
    app.register_error_handler(Exception, _unexpected)


def answer(status: int, message: str) -> Response:
    """The error in the form that the asker can show."""
    if below_api():
        return refusal(status, message)
    if is_htmx():
        response = make_response("", status)
        response.headers["HX-Trigger"] = json.dumps({"toast": {"text": message, "kind": "error"}})
        return response
    try:
        return page("errors/error.html", status, code=status, message=message)
    except OperationalError:  # the frame's counts need the database that is away
        return make_response(f"{message}\n", status, {"Content-Type": "text/plain; charset=utf-8"})


def _portal_error(error: PortalError) -> Response:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    response = answer(status, str(error))
    if isinstance(error, TooManyAttemptsError):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def _http_error(error: HTTPException) -> Response:
    code = error.code or 500
    if code in (403, 404):
        log.info("refused", status=code, endpoint=request.endpoint, method=request.method)
    if code < 400:
        return make_response(error.get_response())
    sentences = SENTENCES | API_SENTENCES if below_api() else SENTENCES
    response = answer(code, sentences.get(code, error.description or SENTENCES[500]))
    if isinstance(error, MethodNotAllowed):
        response.allow.update(error.valid_methods or ())
    return response


def _stale_page(_error: CSRFError) -> Response:
    """The page is older than the sign-in: htmx reloads it, a form gets a page that says so."""
    message = "This page was too old to be trusted. It was reloaded; please do it again."
    response = answer(400, message)
    if is_htmx():
        response.headers["HX-Refresh"] = "true"
    return response


def _no_database(error: OperationalError) -> Response:
    log.error("no database", error=type(error.orig).__name__)
    return answer(503, SENTENCES[503])


def _unexpected(error: Exception) -> Response:
    log.error("request failed", endpoint=request.endpoint, exc_info=error)
    return answer(500, SENTENCES[500])
