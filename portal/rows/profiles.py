"""Mapping profiles: which column becomes which field, kept for files with the same header.

Every change of a profile is a new version; the older ones stay as long as the profile does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.db import changed
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.rows.models import MappingProfile, MappingProfileVersion
from portal.rows.processors import Mode
from portal.rows.treatment import PLAIN, Treatment
from portal.tabular.mapping import fingerprint

NAME_LENGTH = 128


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A saved mapping; `columns[i]` is the field of column i, None where it is left out.

    Who saved it and when is told of this `version`, counted from 1; `used_at` is when a file was
    last processed as it says.
    """

    name: str
    processor: str
    mode: Mode
    columns: tuple[str | None, ...]
    fingerprint: str
    saved_by: str
    saved_at: datetime
    version: int = 1
    treatment: Treatment = PLAIN
    used_at: datetime | None = None

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


def get_profile(session: Session, *, name: str, version: int | None = None) -> Profile:
    """The profile called `name`, as it stands or once stood; NotFoundError where there is none."""
    profile = _found(session, name)
    if version is None or version == profile.version:
        return _profile(profile)
    row = session.scalar(_versions(profile).where(MappingProfileVersion.version == version))
    if row is None:
        raise NotFoundError(f"The mapping {name!r} has no version {version}.")
    return _profile(profile, row)


def list_versions(session: Session, *, name: str) -> list[Profile]:
    """The profile as it stood in each of its versions, the newest first.

    Raises NotFoundError where there is no profile called `name`.
    """
    profile = _found(session, name)
    newest_first = _versions(profile).order_by(MappingProfileVersion.version.desc())
    return [_profile(profile, row) for row in session.scalars(newest_first)]


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
    treatment: Treatment = PLAIN,
) -> Profile:
    """Keep a mapping under `name`, as a new version of one for the same processor and mode.

    What is saved as it stands already is no new version, but found before others again. Raises
    InvalidError for no name or one that is too long, and ConflictError where the name stands for
    another processor or mode.
    """
    wanted = name.strip()
    if not wanted or len(wanted) > NAME_LENGTH:
        raise InvalidError(f"Give the mapping a name of at most {NAME_LENGTH} characters.")
    profile = session.scalar(_called(wanted).with_for_update())
    if profile is not None and (profile.processor, profile.mode) != (processor, str(mode)):
        raise ConflictError(f"Another mapping is called {wanted!r}; choose another name.")
    said = {
        "fingerprint": fingerprint(header),
        "columns": list(columns),
        "treatment": treatment.as_json(),
    }
    if profile is None:
        profile = MappingProfile(name=wanted, processor=processor, mode=str(mode), version=0)
        session.add(profile)
    same = {key: getattr(profile, key) for key in said} == said
    for key, value in (said | {"saved_by": actor.name, "saved_at": now}).items():
        setattr(profile, key, value)
    if not same:
        _keep_version(session, profile)
    session.flush()
    return _profile(profile)


def mark_used(
    session: Session,
    *,
    processor: str,
    mode: Mode,
    columns: Sequence[str | None],
    now: datetime,
    treatment: Treatment = PLAIN,
) -> None:
    """Note that a file was processed so, at the mappings that say the same."""
    its = select(MappingProfile).where(
        MappingProfile.processor == processor, MappingProfile.mode == str(mode)
    )
    for profile in session.scalars(its):
        if (profile.columns, profile.treatment) == (list(columns), treatment.as_json()):
            profile.used_at = now


def forget_profile(session: Session, *, name: str) -> None:
    """Remove a profile; raise NotFoundError where there is none."""
    if changed(session, delete(MappingProfile).where(MappingProfile.name == name)) == 0:
        raise NotFoundError(f"There is no mapping called {name!r}.")


def _keep_version(session: Session, profile: MappingProfile) -> None:
    profile.version += 1
    session.flush()
    session.add(
        MappingProfileVersion(
            profile_id=profile.id,
            version=profile.version,
            fingerprint=profile.fingerprint,
            columns=profile.columns,
            treatment=profile.treatment,
            saved_by=profile.saved_by,
            saved_at=profile.saved_at,
        )
    )


def _called(name: str) -> Select[MappingProfile]:
    return select(MappingProfile).where(MappingProfile.name == name)


def _found(session: Session, name: str) -> MappingProfile:
    found = session.scalar(_called(name))
    if found is None:
        raise NotFoundError(f"There is no mapping called {name!r}.")
    return found


def _versions(profile: MappingProfile) -> Select[MappingProfileVersion]:
    return select(MappingProfileVersion).where(MappingProfileVersion.profile_id == profile.id)


def _profile(profile: MappingProfile, version: MappingProfileVersion | None = None) -> Profile:
    """The profile as it stands, or as it stood in a version."""
    row = profile if version is None else version
    return Profile(
        name=profile.name,
        processor=profile.processor,
        mode=Mode(profile.mode),
        columns=tuple(row.columns),
        fingerprint=row.fingerprint,
        saved_by=row.saved_by,
        saved_at=row.saved_at,
        version=row.version,
        treatment=Treatment.from_json(row.treatment),
        used_at=profile.used_at,
    )
