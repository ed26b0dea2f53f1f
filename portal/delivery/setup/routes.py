"""The pages that make, change and remove channels, and put them on schedules."""

from typing import Any

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.delivery import channels
from portal.delivery.channels import ChannelOptions
from portal.delivery.endpoints import list_endpoints
from portal.delivery.forms import current_asking, whose
from portal.delivery.models import Channel
from portal.delivery.retiring import retire_channel
from portal.delivery.scheduled import change_schedule_of, schedule_channel
from portal.delivery.setup.forms import ChannelForm, OptionsForm, WhenForm, options_of
from portal.delivery.states import Direction
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.visible import visible
from portal.web.access import current_actor, go, go_refused, protect
from portal.web.extensions import services, session
from portal.web.pages import page

REFUSALS = (InvalidError, ConflictError, ForbiddenError, NotFoundError)

bp = Blueprint("setup", __name__)
protect(bp, Permission.DELIVERY_OPERATE)


@bp.get("/delivery/channels/new")
def new_channel() -> Response:
    """The form of a new channel; its server may be given already."""
    form = _channel_form()
    form.endpoint.data = request.args.get("endpoint", "")
    return _form_page(form)


@bp.post("/delivery/channels")
def create_channel() -> Response:
    """Make a channel, with its schedule where one is given."""
    form = _channel_form()
    if not form.validate_on_submit():
        return _form_page(form, 422)
    try:
        channel = _create(form)
    except REFUSALS as error:
        session().rollback()
        return _form_page(form, 422, fault=str(error))
    session().commit()
    flash(f"The channel {visible(channel.name)} is ready.", "success")
    return go(_url(channel.id))


@bp.get("/delivery/channels/<int:channel_id>/edit")
def edit_channel(channel_id: int) -> Response:
    """The form of a channel."""
    channel = _channel(channel_id)
    form = OptionsForm()
    form.show(channel)
    return _form_page(form, channel=channel)


@bp.post("/delivery/channels/<int:channel_id>/edit")
def change_channel(channel_id: int) -> Response:
    """Change what a channel takes and what becomes of its files."""
    channel, form = _channel(channel_id), OptionsForm()
    if not form.validate_on_submit():
        return _form_page(form, 422, channel=channel)
    try:
        options = form.options(options_of(channel))
        channels.change_channel(session(), name=channel.name, options=options, **whose())
    except InvalidError as error:
        session().rollback()
        return _form_page(form, 422, channel=_channel(channel_id), fault=str(error))
    session().commit()
    flash("The channel was changed; its next run goes by that.", "success")
    return go(_url(channel_id))


@bp.post("/delivery/channels/<int:channel_id>/remove")
def remove_channel(channel_id: int) -> Response:
    """Forget a channel; the files of its spool stay."""
    channel = _channel(channel_id)
    name, spool = visible(channel.name), visible(channel.spool)
    try:
        retire_channel(session(), current_asking(), name=channel.name)
    except ConflictError as error:
        return go_refused(error, _url(channel_id))
    session().commit()
    flash(f"The channel {name} was removed. Its files are still in {spool}.", "success")
    return go("/delivery")


@bp.post("/delivery/channels/<int:channel_id>/schedules")
def create_schedule(channel_id: int) -> Response:
    """Let a channel run by itself, as who asks for it."""
    channel, form = _channel(channel_id), WhenForm()
    if not form.validate_on_submit():
        flash(" ".join(form.cron.errors), "error")
        return go(f"{_url(channel_id)}#schedules")
    _schedule(channel, form.cron.data)
    session().commit()
    flash("The channel runs by itself from now on.", "success")
    return go(f"{_url(channel_id)}#schedules")


@bp.post(
    "/delivery/channels/<int:channel_id>/schedules/<int:schedule_id>/"
    "<any(pause,resume,remove):action>"
)
def change_schedule(channel_id: int, schedule_id: int, action: str) -> Response:
    """Stop, resume or delete a schedule: one's own, or any for who manages schedules."""
    channel = _channel(channel_id)
    change_schedule_of(
        session(),
        channel,
        schedule_id=schedule_id,
        action=action,
        asking=current_asking(),
        runtime=services().runtime,
    )
    session().commit()
    return go(f"{_url(channel_id)}#schedules")


def _create(form: ChannelForm) -> Channel:
    channel = channels.add_channel(
        session(),
        name=form.name.data,
        endpoint=form.endpoint.data,
        spool=(form.spool.data or "").strip() or form.name.data.strip(),
        direction=Direction(form.direction.data),
        options=form.options(ChannelOptions()),
        settings=services().runtime.settings,
        **whose(),
    )
    if (form.cron.data or "").strip():
        _schedule(channel, form.cron.data)
    return channel


def _schedule(channel: Channel, cron: str) -> None:
    zone = services().runtime.settings.zone
    schedule_channel(session(), channel, cron=cron.strip(), zone=zone, asking=current_asking())


def _channel(channel_id: int) -> Channel:
    return channels.channel_with(session(), actor=current_actor(), channel_id=channel_id)


def _channel_form() -> ChannelForm:
    form = ChannelForm()
    form.offer(list_endpoints(session(), actor=current_actor()))
    return form


def _form_page(
    form: OptionsForm, status: int = 200, *, channel: Channel | None = None, fault: str = ""
) -> Response:
    settings = services().runtime.settings
    context: dict[str, Any] = {"form": form, "channel": channel, "fault": fault}
    return page(
        "delivery/channel_form.html",
        status,
        **context,
        zone=settings.zone.key,
        folders=settings.delivery_folders,
    )


def _url(channel_id: int) -> str:
    return f"/delivery/channels/{channel_id}"
