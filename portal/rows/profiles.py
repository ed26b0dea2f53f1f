"""Mapping profiles: which column becomes which field, kept for files with the same header."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.db import changed
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.rows.models import MappingProfile
from portal.rows.processors import Mode
from portal.tabular.mapping import fingerprint

NAME_LENGTH = 128


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A saved mapping; `columns[i]` is the field of column i, None where it is left out."""

    name: str
    processor: str
    mode: Mode
    columns: tuple[str | None, ...]
    fingerprint: str
    saved_by: str
    saved_at: datetime

    def is_for(self, header: Sequence[str]) -> bool:
        """Whether it was saved for files with this header."""
        return len(header) == len(self.columns) and fingerprint(header) == self.fingerprint


def find_profile(
    session: Session, *, header: Sequence[str], processor: str, mode: Mode
) -> Profile | None:
    """The mapping saved last for files with this header, a processor and a mode."""
    found = session.scalar(
        select(MappingProfile)
        .where(
            MappingProfile.fingerprint == fingerprint(header),
            MappingProfile.processor == processor,
            MappingProfile.mode == str(mode),
        )
        .order_by(MappingProfile.saved_at.desc(), MappingProfile.id.desc())
        .limit(1)
    )
    return None if found is None else _profile(found)


def get_profile(session: Session, *, name: str) -> Profile:
    """The profile called `name`; raise NotFoundError where there is none."""
    found = session.scalar(select(MappingProfile).where(MappingProfile.name == name))
    if found is None:
        raise NotFoundError(f"There is no mapping called {name!r}.")
    return _profile(found)


def list_profiles(session: Session) -> list[Profile]:
    """All profiles by name."""
    return [_profile(one) for one in session.scalars(select(MappingProfile).order_by("name"))]


def save_profile(
    session: Session,
    *,
    name: str,
    header: Sequence[str],
    processor: str,
    mode: Mode,
    columns: Sequence[str | None],
    actor: Actor,
    now: datetime,
) -> Profile:
    """Keep a mapping under `name`, in the place of an older one for the same processor and mode.

    Raises InvalidError for no name or one that is too long, and ConflictError where the name
    stands for another processor or mode.
    """
    wanted = name.strip()
    if not wanted or len(wanted) > NAME_LENGTH:
        raise InvalidError(f"Give the mapping a name of at most {NAME_LENGTH} characters.")
    profile = session.scalar(select(MappingProfile).where(MappingProfile.name == wanted))
    if profile is None:
        profile = MappingProfile(name=wanted, processor=processor, mode=str(mode))
        session.add(profile)
    elif (profile.processor, profile.mode) != (processor, str(mode)):
        raise ConflictError(f"Another mapping is called {wanted!r}; choose another name.")
    profile.fingerprint, profile.columns = fingerprint(header), list(columns)
    profile.saved_by, profile.saved_at = actor.name, now
    session.flush()
    return _profile(profile)


def forget_profile(session: Session, *, name: str) -> None:
    """Remove a profile; raise NotFoundError where there is none."""
    if changed(session, delete(MappingProfile).where(MappingProfile.name == name)) == 0:
        raise NotFoundError(f"There is no mapping called {name!r}.")


def _profile(row: MappingProfile) -> Profile:
    return Profile(
        name=row.name,
        processor=row.processor,
        mode=Mode(row.mode),
        columns=tuple(row.columns),
        fingerprint=row.fingerprint,
        saved_by=row.saved_by,
        saved_at=row.saved_at,
    )
