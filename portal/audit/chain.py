"""The chain over the audit rows: each digest covers its row and the digest before it.

Who alters or removes a sealed row must alter all that follow and the head, which stands outside of
the database: in `PORTAL_DATA/audit.head` and in the log.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from portal.audit.models import AuditEntry
from portal.files import write_private
from portal.runtime import Runtime

HEAD_FILE = "audit.head"
SEALED_AT_ONCE = 500
SEALED_WITHIN = timedelta(minutes=1)
NAMED = 20
ORIGIN = "0" * 64

log = structlog.get_logger("portal.audit")


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last sealed row's number and digest; number 0 before there is one."""

    number: int = 0
    digest: str = ORIGIN


DAMAGED = Head(digest="damaged")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong with the chain; `tampered` unless rows only wait for their seal."""

    message: str
    tampered: bool = True


def seal(runtime: Runtime) -> int:
    """Seal the rows that are not yet, oldest first, and note the head; returns how many.

    A head that the rows no longer bear out is left as it is, so that `verify` goes on saying so.
    """
    sealed = 0
    while batch := _seal_batch(runtime):
        sealed += batch
    return sealed


def verify(runtime: Runtime) -> list[Problem]:
    """Walk the whole chain and say what does not hold, the first `NAMED` problems at most."""
    noted = read_head(runtime.settings.data)
    with runtime.reads() as session:
        problems = list(_problems(session, noted, now=runtime.clock()))
    if len(problems) <= NAMED:
        return problems
    more = Problem(message=f"… and {len(problems) - NAMED} more such problems.")
    return [*problems[:NAMED], more]


def read_head(data: Path) -> Head | None:
    """The head that was noted last in the data folder; None before the first."""
    try:
        noted = json.loads((data / HEAD_FILE).read_text())
        return Head(number=int(noted["number"]), digest=str(noted["digest"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        log.warning("audit head is unreadable", file=HEAD_FILE)
        return DAMAGED


def digest_of(row: Row[Any] | AuditEntry, *, number: int, previous: str) -> str:
    """SHA-256 over the row's facts, its number and the digest before, as canonical JSON."""
    facts = {
        "number": number,
        "previous": previous,
        "id": row.id,
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor_id": row.actor_id,
        "actor_name": row.actor_name,
        "action": row.action,
        "object_kind": row.object_kind,
        "object_id": row.object_id,
        "address": row.address,
        "detail": row.detail,
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _seal_batch(runtime: Runtime) -> int:
    """Two processes at once do no harm: numbers are unique, the second one's transaction fails."""
    with runtime.sessions.begin() as session:
        rows = session.execute(
            select(*_FACTS)
            .where(AuditEntry.number.is_(None))
            .order_by(AuditEntry.id)
            .limit(SEALED_AT_ONCE)
        ).all()
        if not rows:
            return 0
        before = _last_sealed(session)
        trusted = _bears_out(session, read_head(runtime.settings.data))
        links = _linked(rows, before)
        session.execute(update(AuditEntry), links)
    head = Head(number=links[-1]["number"], digest=links[-1]["digest"])
    _note(runtime.settings.data, head, trusted=trusted)
    return len(rows)


def _linked(rows: Sequence[Row[Any]], head: Head) -> list[dict[str, Any]]:
    links = []
    for row in rows:
        number = head.number + 1
        digest = digest_of(row, number=number, previous=head.digest)
        links.append({"id": row.id, "number": number, "previous": head.digest, "digest": digest})
        head = Head(number=number, digest=digest)
    return links


def _note(data: Path, head: Head, *, trusted: bool) -> None:
    if not trusted:
        log.error("audit chain does not lead to its noted head", number=head.number)
        return
    write_private(data / HEAD_FILE, json.dumps(asdict(head)).encode())
    log.info("audit sealed", number=head.number, digest=head.digest)


def _last_sealed(session: Session) -> Head:
    last = session.execute(
        select(AuditEntry.number, AuditEntry.digest)
        .where(AuditEntry.number.is_not(None))
        .order_by(AuditEntry.number.desc())
        .limit(1)
    ).first()
    return Head() if last is None else Head(number=last.number, digest=last.digest)


def _bears_out(session: Session, noted: Head | None) -> bool:
    """Say whether the noted head is still one of the rows."""
    if noted is None:
        return True
    found = session.scalar(select(AuditEntry.digest).where(AuditEntry.number == noted.number))
    return (found or ORIGIN) == noted.digest


def _problems(session: Session, noted: Head | None, *, now: datetime) -> Iterator[Problem]:
    head = Head()
    if noted == DAMAGED:
        yield Problem(message=f"{HEAD_FILE} in the data folder is damaged.")
    rows = session.execute(
        select(*_FACTS, AuditEntry.number, AuditEntry.previous, AuditEntry.digest)
        .where(AuditEntry.number.is_not(None))
        .order_by(AuditEntry.number)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        yield from _broken_links(row, head)
        if noted and noted.number == row.number and noted.digest != row.digest:
            yield Problem(message=f"Audit row {row.number} is not the one that was noted as head.")
        head = Head(number=row.number, digest=row.digest)
    if noted is None and head.number:
        yield Problem(message=f"{HEAD_FILE} is missing from the data folder.")
    if noted and noted.number > head.number:
        lost = noted.number - head.number
        yield Problem(message=f"The last {lost} sealed audit rows are missing.")
    yield from _unsealed(session, now)


def _broken_links(row: Row[Any], head: Head) -> Iterator[Problem]:
    if row.number != head.number + 1:
        yield Problem(
            message=f"Audit rows {head.number + 1} to {row.number - 1} are missing from the chain."
        )
    elif row.previous != head.digest:
        yield Problem(message=f"Audit row {row.number} does not follow the one before it.")
    if row.digest != digest_of(row, number=row.number, previous=row.previous):
        yield Problem(message=f"Audit row {row.number} was altered after it was sealed.")


def _unsealed(session: Session, now: datetime) -> Iterator[Problem]:
    waiting = session.scalar(
        select(AuditEntry.at)
        .where(AuditEntry.number.is_(None), AuditEntry.at < now - SEALED_WITHIN)
        .order_by(AuditEntry.id)
        .limit(1)
    )
    if waiting is not None:
        yield Problem(
            message=f"Audit rows since {waiting:%Y-%m-%d %H:%M:%S} UTC wait for their seal; "
            "is the portal running?",
            tampered=False,
        )


_FACTS = (
    AuditEntry.id,
    AuditEntry.at,
    AuditEntry.actor_id,
    AuditEntry.actor_name,
    AuditEntry.action,
    AuditEntry.object_kind,
    AuditEntry.object_id,
    AuditEntry.address,
    AuditEntry.detail,
)
