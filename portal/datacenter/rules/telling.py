"""Telling a rule's owner that something is wrong, in the portal and outside."""

from datetime import datetime

from sqlalchemy.orm import Session

from portal.accounts.permissions import SYSTEM
from portal.audit.service import record
from portal.datacenter.rules.models import WatchRule
from portal.jobs.notices import Notice, tell
from portal.settings import Settings

OBJECT = "datacenter-rule"
ALARM = "alarm"
STOPPED = "stopped"


def raise_alarm(
    session: Session, *, rule: WatchRule, text: str, settings: Settings, now: datetime
) -> None:
    """Note on the rule what went wrong, and tell its owner."""
    rule.alarm, rule.alarm_at = text, now
    _tell(session, rule, state=ALARM, text=text, settings=settings, now=now)


def stop_rule(
    session: Session, *, rule: WatchRule, reason: str, settings: Settings, now: datetime
) -> None:
    """Let a rule take nothing until somebody switches it on again, and tell its owner why."""
    rule.stopped_reason = reason
    record(
        session,
        actor=SYSTEM,
        action="datacenter.rule.stop",
        object_kind=OBJECT,
        object_id=str(rule.id),
        now=now,
        detail={"name": rule.name, "reason": reason},
    )
    _tell(session, rule, state=STOPPED, text=f"It stopped. {reason}", settings=settings, now=now)


def _tell(
    session: Session,
    rule: WatchRule,
    *,
    state: str,
    text: str,
    settings: Settings,
    now: datetime,
) -> None:
    notice = Notice(
        user_id=rule.owner_id,
        state=state,
        message=f"Rule “{rule.name}”: {text}",
        page=f"/datacenter/rules/{rule.id}",
        event=f"datacenter.{state}",
    )
    tell(session, notice=notice, settings=settings, now=now)
