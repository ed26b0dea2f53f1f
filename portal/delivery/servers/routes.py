"""The pages of endpoints: the list, one of them with its test, recording, changing, removing."""

from typing import Any

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.delivery import endpoints
from portal.delivery.credentials import open_vault
from portal.delivery.endpoints import Options
from portal.delivery.forms import current_asking, whose
from portal.delivery.models import Endpoint
from portal.delivery.orders import try_endpoint
from portal.delivery.server_looks import list_servers, look_at_server
from portal.delivery.servers.forms import ServerForm, options_of
from portal.errors import ConflictError, InvalidError
from portal.visible import visible
from portal.web.access import current_actor, go, go_refused, protect
from portal.web.extensions import services, session
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page

LIST = "/delivery/endpoints"

bp = Blueprint("servers", __name__)
protect(bp, Permission.DELIVERY_OPERATE)


@bp.get("/delivery/endpoints")
def list_endpoints() -> Response:
    """All servers with how their last tests went."""
    return page("delivery/servers.html", lines=list_servers(session(), actor=current_actor()))


@bp.get("/delivery/endpoints/new")
def new_endpoint() -> Response:
    """The form of a new server."""
    return _form_page(ServerForm())


@bp.post("/delivery/endpoints")
def create_endpoint() -> Response:
    """Record a server; its test is asked for at once."""
    form = ServerForm()
    if not form.validate_on_submit():
        return _form_page(form, 422)
    try:
        endpoint = endpoints.add_endpoint(session(), **_said(form, Options()), **whose())
        try_endpoint(session(), current_asking(), name=endpoint.name)
    except (InvalidError, ConflictError) as error:
        session().rollback()
        return _form_page(form, 422, fault=str(error))
    session().commit()
    flash(f"{visible(endpoint.name)} is recorded; its connection is tested now.", "success")
    return go(_url(endpoint.id))


@bp.get("/delivery/endpoints/<int:endpoint_id>")
def show_endpoint(endpoint_id: int) -> Response:
    """A server with its key, its test and what it can do; for htmx what changes of it."""
    found = services()
    seen = look_at_server(
        session(),
        runtime=found.runtime,
        kinds=found.kinds,
        actor=current_actor(),
        endpoint_id=endpoint_id,
    )
    show = fragment if is_htmx() else page
    return show("delivery/_server.html" if is_htmx() else "delivery/server.html", seen=seen)


@bp.get("/delivery/endpoints/<int:endpoint_id>/edit")
def edit_endpoint(endpoint_id: int) -> Response:
    """The form of a server, without its secret."""
    endpoint, form = _endpoint(endpoint_id), ServerForm()
    form.show(endpoint)
    return _form_page(form, endpoint=endpoint)


@bp.post("/delivery/endpoints/<int:endpoint_id>/edit")
def change_endpoint(endpoint_id: int) -> Response:
    """Let it lead elsewhere; an empty password stays what it was."""
    endpoint, form = _endpoint(endpoint_id), ServerForm()
    form.name.data = endpoint.name
    if not form.validate_on_submit():
        return _form_page(form, 422, endpoint=endpoint)
    try:
        endpoints.change_endpoint(session(), **_said(form, options_of(endpoint)), **whose())
    except InvalidError as error:
        session().rollback()
        return _form_page(form, 422, endpoint=_endpoint(endpoint_id), fault=str(error))
    session().commit()
    flash("The endpoint was changed. Test the connection before the next run.", "success")
    return go(_url(endpoint_id))


@bp.post("/delivery/endpoints/<int:endpoint_id>/test")
def test_endpoint(endpoint_id: int) -> Response:
    """Test the connection; a test that runs is joined."""
    try_endpoint(session(), current_asking(), name=_endpoint(endpoint_id).name)
    session().commit()
    return go(f"{_url(endpoint_id)}#test")


@bp.post("/delivery/endpoints/<int:endpoint_id>/approve")
def approve_key(endpoint_id: int) -> Response:
    """Trust the key that the page showed."""
    name, shown = _endpoint(endpoint_id).name, request.form.get("key", "")
    try:
        endpoints.approve_key(session(), name=name, shown=shown, **whose())
        try_endpoint(session(), current_asking(), name=name)
    except ConflictError as error:
        return go_refused(error, _url(endpoint_id))
    session().commit()
    flash("The key is trusted from now on; the connection is tested.", "success")
    return go(_url(endpoint_id))


@bp.post("/delivery/endpoints/<int:endpoint_id>/forget-key")
def forget_key(endpoint_id: int) -> Response:
    """Trust no certain key or certificate any more."""
    endpoints.forget_key(session(), name=_endpoint(endpoint_id).name, **whose())
    session().commit()
    flash(
        "What was approved is forgotten. Test the connection to see what it shows now.", "success"
    )
    return go(_url(endpoint_id))


@bp.post("/delivery/endpoints/<int:endpoint_id>/remove")
def remove_endpoint(endpoint_id: int) -> Response:
    """Forget a server; refused while channels use it."""
    name = _endpoint(endpoint_id).name
    try:
        endpoints.remove_endpoint(session(), name=name, **whose())
    except ConflictError as error:
        return go_refused(error, _url(endpoint_id))
    session().commit()
    flash(f"{visible(name)} and its password are forgotten.", "success")
    return go(LIST)


def _said(form: ServerForm, before: Options) -> dict[str, Any]:
    """What a form says, as services take it; raises InvalidError."""
    return {
        "name": form.name.data,
        "url": form.url,
        "secret": form.secret,
        "options": form.options(before),
        "vault": open_vault(services().runtime.settings),
    }


def _endpoint(endpoint_id: int) -> Endpoint:
    return endpoints.endpoint_with(session(), actor=current_actor(), endpoint_id=endpoint_id)


def _form_page(
    form: ServerForm, status: int = 200, *, endpoint: Endpoint | None = None, fault: str = ""
) -> Response:
    return page("delivery/server_form.html", status, form=form, endpoint=endpoint, fault=fault)


def _url(endpoint_id: int) -> str:
    return f"{LIST}/{endpoint_id}"
