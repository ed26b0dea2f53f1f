"""Looking for expected files: where none was taken by its deadline, the owner is told, once."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.datacenter.rules.expectations import is_over, next_due
from portal.datacenter.rules.models import WatchRule
from portal.datacenter.rules.telling import raise_alarm
from portal.db import changed
from portal.runtime import Runtime

log = structlog.get_logger("portal.datacenter")


def look_for_missing(runtime: Runtime) -> int:
    """Raise an alarm for each rule that took no file since its last deadline; returns how many.

    Deadlines that passed while the portal was down count as one.
    """
    now = runtime.clock()
    with runtime.reads() as session:
        due = [
            rule.id
            for rule in session.scalars(
                select(WatchRule).where(WatchRule.enabled, WatchRule.due_at <= now)
            )
            if _is_over(rule, now)
        ]
    return sum(_try_one(runtime, rule_id, now=now) for rule_id in due)


def _is_over(rule: WatchRule, now: datetime) -> bool:
    grace = timedelta(minutes=rule.grace_minutes)
    return rule.due_at is not None and is_over(rule.due_at, grace, now=now)


def _try_one(runtime: Runtime, rule_id: int, *, now: datetime) -> bool:
    """Look at one rule; its fault must not keep the others from being looked at."""
    try:
        with runtime.sessions.begin() as session:
            return _look(session, runtime, rule_id, now=now)
    except Exception:
        log.exception("expected file not looked for, it is tried again", rule=rule_id)
        return False


def _look(session: Session, runtime: Runtime, rule_id: int, *, now: datetime) -> bool:
    rule = session.get(WatchRule, rule_id)
    if rule is None or rule.due_at is None or not _is_over(rule, now):
        return False
    due_at, since, zone = rule.due_at, rule.since, runtime.settings.zone
    if not _pass(session, rule, due_at=due_at, now=now, zone=zone):
        return False
    session.refresh(rule)
    if rule.last_at is not None and rule.last_at >= since:
        return False
    when = due_at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")
    text = f"No file like {rule.pattern} came by {when}."
    raise_alarm(session, rule=rule, text=text, settings=runtime.settings, now=now)
    return True


def _pass(
    session: Session, rule: WatchRule, *, due_at: datetime, now: datetime, zone: ZoneInfo
) -> bool:
    """Go on to the next deadline, exactly once among all who try."""
    grace = timedelta(minutes=rule.grace_minutes)
    coming = next_due(rule.expected, due_at=due_at, grace=grace, now=now, zone=zone)
    statement = (
        update(WatchRule)
        .where(WatchRule.id == rule.id, WatchRule.enabled, WatchRule.due_at == due_at)
        .values(due_at=coming, since=now)
        .execution_options(synchronize_session=False)
    )
    return changed(session, statement) == 1
