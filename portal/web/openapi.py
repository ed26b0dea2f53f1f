"""The OpenAPI file, composed from what stands beside the views of the running application.

Source: the OpenAPI Specification 3.1.1.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from flask import Flask, Response, current_app
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from portal import __version__
from portal.web.access import Access, Declared, declared, requires
from portal.web.api import (
    FORMS,
    JSON,
    READS,
    Described,
    api_blueprint,
    describes,
    json_response,
)
from portal.web.paths import API

SCHEME = "token"
STANDING = (400, 401, 403, 404, 405, 429)  # what any address below /api may answer
REFUSALS = {
    400: "The request is not understood.",
    401: "There is no token, or it is not good (any more).",
    403: "The token, or its user, may not do this.",
    404: "There is no such thing, or it is not to be seen.",
    405: "The address cannot be used that way.",
    409: "The thing is in a state in which this cannot be done now.",
    413: "That is too large.",
    415: "The body has to be a form.",
    416: "The file has no such part.",
    422: "What was given is not acceptable; the message says what would be.",
    429: "Too many wrong tokens came from this address; Retry-After says when to go on.",
}
ALSO = {
    206: "The part of the file that the header Range asks for.",
    304: "It is still what the header If-None-Match names.",
}
BODILESS = (304, 416)
_WORD = re.compile(r"<(?:(?P<kind>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")
_REF = "#/components/schemas/{model}"

Ways = Literal["validation", "serialization"]


class ErrorFact(BaseModel):
    """What went wrong, in a sentence."""

    message: str


class Error(BaseModel):
    """Every refusal."""

    error: ErrorFact


bp = api_blueprint("api", __name__)


@bp.get("/openapi.json")
@requires(Access.PUBLIC)
@describes("This file", answer=None)
def show_openapi() -> Response:
    """What programs can ask for."""
    return json_response(json.dumps(compose(current_app)))


def compose(app: Flask) -> dict[str, Any]:
    """The file for the addresses below /api that `app` has."""
    found = list(_described(app))
    schemas = Schemas([told for _, _, told in found])
    paths: dict[str, dict[str, Any]] = {}
    for rule, method, told in found:
        operation = _operation(rule, method, told, schemas, needs=declared(app, rule.endpoint))
        paths.setdefault(_WORD.sub(r"{\g<name>}", rule.rule), {})[method.lower()] = operation
    return {
        "openapi": "3.1.1",
        "info": {"title": "Portal", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas.found,
            "securitySchemes": {SCHEME: {"type": "http", "scheme": "bearer"}},
        },
    }


class Schemas:
    """The schemas of all models that are taken or answered."""

    def __init__(self, told: Iterable[Described]) -> None:
        models: dict[tuple[type[BaseModel], Ways], None] = {(Error, "serialization"): None}
        for view in told:
            if view.answer is not None:
                models[view.answer, "serialization"] = None
            if view.takes is not None:
                models[view.takes, "validation"] = None
        self._refs, schema = models_json_schema(list(models), ref_template=_REF)
        self.found: dict[str, Any] = schema["$defs"]

    def answered(self, model: type[BaseModel]) -> dict[str, Any]:
        """The reference to what is answered."""
        return dict(self._refs[model, "serialization"])

    def taken(self, model: type[BaseModel]) -> dict[str, Any]:
        """The schema of what is taken itself."""
        ref = str(self._refs[model, "validation"]["$ref"])
        schema: dict[str, Any] = self.found[ref.rpartition("/")[2]]
        return schema


def _described(app: Flask) -> Iterator[tuple[Rule, str, Described]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        told = getattr(app.view_functions[rule.endpoint], "portal_described", None)
        if told is not None and rule.rule.startswith(f"{API}/"):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method, told


def _operation(
    rule: Rule, method: str, told: Described, schemas: Schemas, *, needs: Declared | None
) -> dict[str, Any]:
    parameters = _path_parameters(rule.rule)
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": told.summary,
        "responses": _responses(told, schemas),
        "security": [] if needs == Access.PUBLIC else [{SCHEME: [str(needs)]}],
    }
    if method in READS:
        parameters += _query_parameters(told, schemas)
    elif told.takes is not None or told.files:
        operation["requestBody"] = _form(told, schemas)
    return operation | ({"parameters": parameters} if parameters else {})


def _responses(told: Described, schemas: Schemas) -> dict[str, Any]:
    good = {} if told.answer is None else {"schema": schemas.answered(told.answer)}
    responses: dict[str, Any] = {
        str(told.status): {"description": told.summary, "content": {told.media_type: good}}
    }
    for status in told.also:
        responses[str(status)] = _response(status, ALSO[status], {told.media_type: good})
    refusal = {JSON: {"schema": schemas.answered(Error)}}
    for status in sorted({*STANDING, *told.refuses}):
        responses[str(status)] = _response(status, REFUSALS[status], refusal)
    return responses


def _response(status: int, description: str, content: dict[str, Any]) -> dict[str, Any]:
    body = {} if status in BODILESS else {"content": content}
    return {"description": description} | body


def _path_parameters(rule: str) -> list[dict[str, Any]]:
    return [
        {
            "name": word["name"],
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if word["kind"] == "int" else "string"},
        }
        for word in _WORD.finditer(rule)
    ]


def _query_parameters(told: Described, schemas: Schemas) -> list[dict[str, Any]]:
    if told.takes is None:
        return []
    schema = schemas.taken(told.takes)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part}
        for name, part in schema["properties"].items()
    ]


def _form(told: Described, schemas: Schemas) -> dict[str, Any]:
    """Files make it multipart; plain fields may come either way."""
    fields = {} if told.takes is None else schemas.taken(told.takes)
    files = {name: {"type": "string", "format": "binary"} for name in told.files}
    schema = fields | {
        "type": "object",
        "properties": fields.get("properties", {}) | files,
        "required": [*fields.get("required", []), *told.files],
    }
    kinds = FORMS[:1] if told.files else FORMS
    return {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}
