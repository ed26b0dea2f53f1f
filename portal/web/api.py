"""The HTTP API's toolkit: blueprints below /api, what is asked, what is answered.

A room's API is an `api` folder with `answers.py`, pydantic models that are the OpenAPI file's
schemas too, and `routes.py`: a blueprint of `api_blueprint`, whose views `requires` a permission
(the scope), are told about by `describes`, read with `given` and answer with `answer_json`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, make_response, request
from pydantic import BaseModel, ValidationError

from portal.errors import InvalidError
from portal.web.access import View
from portal.web.paths import API

JSON = "application/json"
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
READS = ("GET", "HEAD")
API_SENTENCES = {
    400: "The request was not understood.",
    401: "Send a token that is good, as `Authorization: Bearer portal_…`.",
    403: "The token has not the scope for this, or its user lost the right.",
    404: "There is no such thing, or it is not to be seen with this token.",
    413: "That is too large to be taken.",
    415: "Send the body as a form (multipart/form-data).",
    429: "That was tried too often. Wait as long as Retry-After says.",
}
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Described:
    """What the OpenAPI file says of a view besides its address and permission."""

    summary: str
    answer: type[BaseModel] | None
    media_type: str
    status: int
    takes: type[BaseModel] | None
    files: tuple[str, ...]
    refuses: tuple[int, ...]
    also: tuple[int, ...]


def api_blueprint(name: str, import_name: str) -> Blueprint:
    """A blueprint whose addresses all stand below /api."""
    return Blueprint(name, import_name, url_prefix=API)


def describes(
    summary: str,
    *,
    answer: type[BaseModel] | None = None,
    media_type: str = JSON,
    status: int = 200,
    takes: type[BaseModel] | None = None,
    files: tuple[str, ...] = (),
    refuses: tuple[int, ...] = (),
    also: tuple[int, ...] = (),
) -> Callable[[View], View]:
    """Say what a view takes and answers, for the OpenAPI file.

    `takes` are query parameters of a GET, else fields of a form, and `files` its files.
    `refuses` are the statuses of its own refusals; those that all have need not be named. `also`
    are good answers besides `status` that a header of the request asks for: 206 and 304.
    """
    told = Described(
        summary=summary,
        answer=answer,
        media_type=media_type,
        status=status,
        takes=takes,
        files=files,
        refuses=refuses,
        also=also,
    )

    def mark(view: View) -> View:
        view.portal_described = told  # type: ignore[attr-defined]
        return view

    return mark


def given(model: type[Model]) -> Model:
    """What the request gives: a GET's query, else the form's fields.

    Raises InvalidError in words. A body that is no form is answered by 415.
    """
    if request.method in READS:
        values = request.args.to_dict()
    else:
        if request.mimetype not in FORMS:
            abort(415)
        values = request.form.to_dict()
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidError(_in_words(error)) from None


def answer_json(answer: BaseModel, status: int = 200) -> Response:
    """The answer as JSON, never stored by anybody on the way."""
    return json_response(answer.model_dump_json(), status)


def refusal(status: int, message: str) -> Response:
    """Why something is not done, as programs read it (RFC 6750 for 401)."""
    response = json_response(json.dumps({"error": {"message": message}}), status)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="portal"'
    return response


def json_response(text: str, status: int = 200) -> Response:
    """A response of JSON text."""
    response = make_response(text, status)
    response.headers["Content-Type"] = JSON
    response.headers["Cache-Control"] = "no-store"
    return response


def _in_words(error: ValidationError) -> str:
    return " ".join(_sentence(fault) for fault in error.errors(include_url=False))


def _sentence(fault: Any) -> str:
    place = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        return f"{place}: there is no such parameter."
    return f"{place}: {fault['msg']}."
