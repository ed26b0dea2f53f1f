"""The jobs that delivery offers."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.artifacts.intakes import Intakes
from portal.delivery.models import Channel
from portal.delivery.orders import BREAK, RUN, SUBJECT, TEST, lane_of, title_of
from portal.delivery.running import run_channel
from portal.delivery.visits import break_seen_lock, visit_endpoint
from portal.errors import NotFoundError
from portal.jobs.kinds import DELIVERY, Args, Choice, Kind, Order, Scheduling
from portal.jobs.models import Job
from portal.jobs.work import Work


def kinds_for(intakes: Intakes) -> tuple[Kind, ...]:
    """The kinds of jobs of delivery; fetched files may go to these intakes."""

    def transfer(work: Work, *, channel_id: int) -> dict[str, Any]:
        return run_channel(work, channel_id=channel_id, intakes=intakes)

    return (replace(RUN_KIND, run=transfer), TEST_KIND, BREAK_KIND)


def transfer(work: Work, *, channel_id: int) -> dict[str, Any]:
    """Send or fetch the files of a channel."""
    return run_channel(work, channel_id=channel_id)


def try_connection(work: Work, *, endpoint_id: int) -> dict[str, Any]:
    """Test an endpoint and keep what it can do."""
    return visit_endpoint(work, endpoint_id=endpoint_id)


def remove_lock(work: Work, *, channel_id: int, seen: dict[str, Any]) -> dict[str, Any]:
    """Remove the lock that an operator saw, if it is still the same."""
    return break_seen_lock(work, channel_id=channel_id, seen=seen)


def _may(_session: Session, actor: Actor, _about: Job | Args) -> bool:
    return actor.may(Permission.DELIVERY_OPERATE)


def _choices(session: Session, actor: Actor) -> Iterator[Choice]:
    if not actor.may(Permission.DELIVERY_OPERATE):
        return
    for channel in session.scalars(select(Channel).order_by(Channel.name)):
        yield Choice(args={"channel_id": channel.id}, label=channel.name)


def _order(session: Session, args: Args) -> Order:
    channel = session.get(Channel, int(args["channel_id"]))
    if channel is None:
        raise NotFoundError("The channel is gone.")
    return Order(
        title=title_of(channel),
        subject_kind=SUBJECT,
        subject_id=str(channel.id),
        lane=lane_of(channel),
    )


RUN_KIND = Kind(
    name=RUN,
    area="delivery",
    label="Delivery",
    queue=DELIVERY,
    run=transfer,
    may_view=_may,
    may_run=_may,
    restartable=True,
    schedule=Scheduling(choices=_choices, order=_order),
)
TEST_KIND = Kind(
    name=TEST,
    area="delivery",
    label="Connection test",
    queue=DELIVERY,
    run=try_connection,
    may_view=_may,
    may_run=_may,
)
BREAK_KIND = Kind(
    name=BREAK,
    area="delivery",
    label="Breaking a lock",
    queue=DELIVERY,
    run=remove_lock,
    may_view=_may,
    may_run=_may,
)
KINDS = (RUN_KIND, TEST_KIND, BREAK_KIND)
