"""Imports that are asked for by a schedule, as its owner: a file expected at a path.

Where the file is not there, the job fails and its owner is told.
"""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.errors import InvalidError
from portal.imports.fitting import OTHER_MAPPING
from portal.imports.orders import LANE_LENGTH, RUN, ImportOrder, check_may_take, lane_of
from portal.imports.paths import check_path
from portal.imports.rights import check_may_try
from portal.imports.words import processor_of
from portal.jobs import schedules
from portal.jobs.kinds import Args, Choice, Order, Scheduling
from portal.jobs.models import Schedule
from portal.jobs.schedules import Offer
from portal.rows.batch_kinds import Wish
from portal.rows.profiles import get_profile
from portal.tables.grants import SUBJECT, place_of


def schedule_import(session: Session, *, order: ImportOrder, cron: str, wish: Wish) -> Schedule:
    """Import the file at the order's path whenever `cron` says so, as the actor.

    Raises ForbiddenError, InvalidError for a wrong expression, an order without a path or a mapping
    for something else, and NotFoundError for a mapping that there is not.
    """
    settings = wish.runtime.settings
    if not order.path or order.dry_run:
        raise InvalidError("Only the import of a file at a path can be put on a schedule.")
    check_path(settings, order.path)
    check_profile(session, order)
    place = place_of(settings)
    check_may_try(session, wish.actor, place=place, table=order.table, mode=order.mode)
    check_may_take(session, order, wish)
    offer = Offer(
        kind=wish.kinds.get(RUN),
        args=order.as_args() | {"place": place},
        label=f"{order.path} into {order.table} ({order.mode})",
    )
    return schedules.create(
        session,
        actor=wish.actor,
        offer=offer,
        cron=cron,
        zone=settings.zone,
        now=wish.now,
        address=wish.address,
    )


def check_profile(session: Session, order: ImportOrder) -> None:
    """Raise InvalidError where the order's mapping is for another table or mode."""
    if not order.profile:
        return
    profile = get_profile(session, name=order.profile)
    if (profile.processor, profile.mode) != (processor_of(order.table), order.mode.rows_mode):
        raise InvalidError(OTHER_MAPPING.format(name=order.profile))


def _choices(_session: Session, _actor: Actor) -> Iterable[Choice]:
    """None: which file goes where is said in words of its own."""
    return ()


def _order(_session: Session, args: Args) -> Order:
    table, path = str(args["table"]), str(args["path"])
    return Order(
        title=f"Import {args['file_name']} into {table} ({args['mode']})",
        subject_kind=SUBJECT,
        subject_id=f"{table}: {path}"[:LANE_LENGTH],
        lane=lane_of(str(args["place"]), table),
    )


SCHEDULING = Scheduling(choices=_choices, order=_order)
