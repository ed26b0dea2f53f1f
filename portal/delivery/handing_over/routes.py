"""“Deliver…”: a finished file of another area goes to a channel."""

from flask import Blueprint, Response, flash

from portal.accounts.permissions import Permission
from portal.artifacts.handouts import FinishedFile
from portal.delivery.forms import current_asking
from portal.delivery.handing import Parting, hand_over, list_takers
from portal.delivery.handing_over.forms import DeliverForm
from portal.errors import ConflictError, InvalidError
from portal.visible import visible
from portal.web.access import current_actor, go, protect
from portal.web.extensions import services, session
from portal.web.pages import page

bp = Blueprint("handing_over", __name__)
protect(bp, Permission.DELIVERY_OPERATE)


@bp.get("/delivery/deliver/<source>/<path:finished>")
def choose_channel(source: str, finished: str) -> Response:
    """The file, and the channels that it can go by."""
    return _form_page(_find(source, finished), _form())


@bp.post("/delivery/deliver/<source>/<path:finished>")
def deliver_file(source: str, finished: str) -> Response:
    """Ask for it to be copied into the channel's spool."""
    found, form = _find(source, finished), _form()
    if not form.validate_on_submit():
        return _form_page(found, form, 422)
    parting = Parting(source=source, file=finished, at_once=form.at_once.data)
    try:
        asked = hand_over(
            session(),
            current_asking(),
            handouts=services().handouts,
            runtime=services().runtime,
            channel_id=int(form.channel.data),
            parting=parting,
        )
    except (InvalidError, ConflictError) as error:
        session().rollback()
        return _form_page(found, form, 422, fault=str(error))
    session().commit()
    said = "is being handed over already" if asked.joined else "is copied into the spool"
    flash(f"{visible(found.name)} {said}.", "info")
    return go(f"/delivery/channels/{form.channel.data}")


def _find(source: str, finished: str) -> FinishedFile:
    find = services().handouts.get(source).find
    return find(session(), services().runtime, current_actor(), finished)


def _form() -> DeliverForm:
    form = DeliverForm()
    form.offer(list_takers(session(), actor=current_actor()))
    return form


def _form_page(
    found: FinishedFile, form: DeliverForm, status: int = 200, *, fault: str = ""
) -> Response:
    return page("delivery/deliver.html", status, found=found, form=form, fault=fault)
