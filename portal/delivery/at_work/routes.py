"""One channel at work: what it does and did, running it, pausing it, breaking a lock."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.delivery.channels import channel_with, pause_channel
from portal.delivery.chart import draw
from portal.delivery.forms import current_asking, whose
from portal.delivery.history import Sought, search_files
from portal.delivery.looking import look_at
from portal.delivery.models import Channel
from portal.delivery.orders import Asking, break_lock, run_now
from portal.delivery.scheduled import may_change, plans_of
from portal.delivery.setup.forms import WhenForm
from portal.delivery.signs import SIGNS
from portal.delivery.throughput import Span, portions
from portal.errors import ConflictError
from portal.jobs.service import Submitted
from portal.web.access import current_actor, go, go_refused, protect
from portal.web.extensions import services, session
from portal.web.hx import is_htmx, trigger
from portal.web.pages import fragment, page

SHOWN = 20
SPANS = [(str(Span.DAY), "24 hours"), (str(Span.MONTH), "30 days")]

bp = Blueprint("at_work", __name__)
protect(bp, Permission.DELIVERY_OPERATE)


@bp.get("/delivery/channels/<int:channel_id>")
def show_channel(channel_id: int) -> Response:
    """A channel; for htmx what goes on alone."""
    context = _look(channel_id)
    if is_htmx():
        return _live(context)
    channel, actor = context["seen"].channel, current_actor()
    plans = plans_of(session(), channel=channel, runtime=services().runtime)
    return page(
        "delivery/channel.html",
        **context,
        **_chart(channel_id),
        **_recent(channel),
        plans=plans,
        changeable={one.schedule.id for one in plans if may_change(actor, one.schedule)},
        schedule_form=WhenForm(),
        zone=services().runtime.settings.zone.key,
    )


@bp.get("/delivery/channels/<int:channel_id>/throughput")
def show_throughput(channel_id: int) -> Response:
    """The chart alone for htmx, else the channel with it."""
    if not is_htmx():
        return go(f"/delivery/channels/{channel_id}?span={_span()}#throughput")
    channel_with(session(), actor=current_actor(), channel_id=channel_id)
    return fragment("delivery/_throughput.html", channel_id=channel_id, **_chart(channel_id))


@bp.get("/delivery/channels/<int:channel_id>/recent")
def show_recent(channel_id: int) -> Response:
    """The newest files alone for htmx, else the channel with them."""
    channel = channel_with(session(), actor=current_actor(), channel_id=channel_id)
    if not is_htmx():
        return go(f"{_url(channel_id)}#recent")
    return fragment("delivery/_recent.html", channel=channel, **_recent(channel))


@bp.post("/delivery/channels/<int:channel_id>/run")
def run_channel(channel_id: int) -> Response:
    """Run it now; a run that is asked for already is joined."""
    asked = _order(channel_id, run_now)
    session().commit()
    flash("A run of this channel is under way." if asked.joined else "The channel runs.", "info")
    return go(_url(channel_id))


@bp.post("/delivery/channels/<int:channel_id>/<any(pause,resume):switch>")
def pause(channel_id: int, switch: str) -> Response:
    """Let it rest, or go on."""
    channel = channel_with(session(), actor=current_actor(), channel_id=channel_id)
    paused = switch == "pause"
    pause_channel(session(), name=channel.name, paused=paused, **whose())
    session().commit()
    said = "rests; nothing is transferred until it goes on" if paused else "goes on"
    flash(f"{channel.name} {said}.", "success")
    return go("/delivery" if request.form.get("back") == "list" else _url(channel_id))


@bp.post("/delivery/channels/<int:channel_id>/break-lock")
def remove_lock(channel_id: int) -> Response:
    """Ask for the lock to be removed that the last run met."""
    try:
        _order(channel_id, break_lock)
    except ConflictError as error:
        return go_refused(error, _url(channel_id))
    session().commit()
    flash("The lock is removed if it still is the one that you saw.", "info")
    return go(_url(channel_id))


def _order(channel_id: int, order: Callable[..., Submitted]) -> Submitted:
    asking: Asking = current_asking()
    channel = channel_with(session(), actor=asking.actor, channel_id=channel_id)
    return order(session(), asking, name=channel.name)


def _live(context: dict[str, Any]) -> Response:
    """What goes on; where that has ended since it was asked for last, the page hears of it."""
    response = fragment("delivery/_channel.html", **context)
    if request.args.get("was") == "active" and not context["seen"].active:
        trigger(response, "job-ended")
    return response


def _recent(channel: Channel) -> dict[str, Any]:
    sought = Sought(channel=channel.name, limit=SHOWN)
    files = search_files(session(), actor=current_actor(), sought=sought)
    return {"files": files, "signs": SIGNS, "one_channel": True}


def _look(channel_id: int) -> dict[str, Any]:
    found = services()
    seen = look_at(
        session(),
        runtime=found.runtime,
        kinds=found.kinds,
        actor=current_actor(),
        channel_id=channel_id,
    )
    return {"seen": seen}


def _chart(channel_id: int) -> dict[str, Any]:
    runtime, span = services().runtime, _span()
    found = portions(
        session(),
        channel_id=channel_id,
        span=span,
        now=runtime.clock(),
        zone=runtime.settings.zone,
    )
    return {"chart": draw(found), "span": span, "spans": SPANS}


def _span() -> Span:
    asked = request.args.get("span", "")
    return Span(asked) if asked in set(Span) else Span.DAY


def _url(channel_id: int) -> str:
    return f"/delivery/channels/{channel_id}"
