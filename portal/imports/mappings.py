"""Saved mappings for tables: those that one may import into by them, and their removal."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.errors import ForbiddenError, NotFoundError
from portal.imports.orders import RUN
from portal.imports.rights import may_import
from portal.imports.words import ImportMode, table_of
from portal.jobs.models import Schedule
from portal.rows import mappings
from portal.rows.batch_kinds import BatchKinds, Wish
from portal.rows.processors import Processor
from portal.rows.profiles import Profile, list_profiles, list_versions
from portal.tables.grants import place_of


def mappings_for(session: Session, offered: Iterable[Processor]) -> list[Profile]:
    """The mappings for the tables that are `offered`, by name."""
    names = {one.name for one in offered}
    return [profile for profile in list_profiles(session) if profile.processor in names]


def versions_for(session: Session, offered: Iterable[Processor], *, name: str) -> list[Profile]:
    """A mapping as it stood in each of its versions, the newest first; or NotFoundError."""
    found = list_versions(session, name=name)
    if found[0].processor not in {one.name for one in offered}:
        raise _unknown(name)
    return found


def remove_mapping(session: Session, *, name: str, wish: Wish, kinds: BatchKinds) -> Profile:
    """Remove the mapping called `name`; returns what it was.

    Raises NotFoundError, ForbiddenError where the actor may not import by it, and ConflictError
    where something works with it.
    """
    [profile, *_] = versions_for(session, wish.processors.offered(wish.actor), name=name)
    place, table = place_of(wish.runtime.settings), table_of(profile.processor)
    mode = ImportMode.of(profile.mode)
    if not may_import(session, wish.actor, place=place, table=table, mode=mode):
        raise ForbiddenError(f"You may not {mode} rows of the table {table!r}, nor this mapping.")
    return mappings.remove_mapping(
        session, name=name, actor=wish.actor, now=wish.now, kinds=kinds, address=wish.address
    )


def schedules_with(session: Session, name: str) -> list[str]:
    """The schedules that import with a mapping."""
    found = session.scalars(select(Schedule).where(Schedule.kind == RUN))
    return [f"the schedule {one.title!r}" for one in found if one.args.get("profile") == name]


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(f"There is no mapping called {name!r}.")
