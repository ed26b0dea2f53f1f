"""Facts about files: who brought one and when. The directory alone says which files there are."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.datacenter.disk import Entry
from portal.datacenter.models import DataCenterFact, DataCenterLongName
from portal.datacenter.names import CutStem
from portal.datacenter.steps import Fact

AT_ONCE = 500


def note_fact(session: Session, *, fact: Fact, actor: Actor, now: datetime) -> None:
    """Keep what is known of a file, in the place of what was known of one with its name."""
    session.merge(
        DataCenterFact(
            name=fact.name,
            size=fact.size,
            mtime_ns=fact.mtime_ns,
            sha256=fact.sha256,
            rows=fact.rows,
            origin=fact.origin,
            by_id=actor.user_id,
            by_name=actor.name,
            at=now,
        )
    )


def facts_of(session: Session, files: Iterable[Entry]) -> dict[str, DataCenterFact]:
    """The facts that are still true of these files, by name on disk."""
    found = {entry.name: entry for entry in files}
    known = _by_names(session, [name for name in found if _can_be_asked(name)])
    return {name: fact for name, fact in known.items() if is_true(fact, found[name])}


def is_true(fact: DataCenterFact | Fact, entry: Entry) -> bool:
    """Whether the file is still the one of which this is known."""
    return (fact.size, fact.mtime_ns) == (entry.size, entry.mtime_ns)


def keep_long_name(session: Session, cut: CutStem | None) -> None:
    """Keep the whole of a stem that is cut on disk; None where it is not."""
    if cut is not None:
        session.merge(DataCenterLongName(short=cut.short, whole=cut.whole))


def long_names(session: Session) -> dict[str, str]:
    """The whole of each stem that is cut on disk."""
    rows = session.execute(select(DataCenterLongName.short, DataCenterLongName.whole))
    return {row.short: row.whole for row in rows}


def forget_absent(session: Session, *, present: Iterable[str]) -> int:
    """Forget facts about files that lie nowhere any more; returns how many."""
    known = set(session.scalars(select(DataCenterFact.name)))
    absent = sorted(known.difference(present))[:AT_ONCE]
    session.execute(delete(DataCenterFact).where(DataCenterFact.name.in_(absent)))
    return len(absent)


def _can_be_asked(name: str) -> bool:
    """Names that are no text cannot be put to a database."""
    return len(name) <= 255 and not any(0xD800 <= ord(char) < 0xE000 for char in name)


def _by_names(session: Session, asked: list[str]) -> dict[str, DataCenterFact]:
    found: dict[str, DataCenterFact] = {}
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        rows = session.scalars(select(DataCenterFact).where(DataCenterFact.name.in_(part)))
        found |= {row.name: row for row in rows}
    return found
