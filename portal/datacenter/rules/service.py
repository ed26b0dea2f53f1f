"""Making, changing and removing rules: one's own, or all for who sets the data centre up."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.actors import find_actor
from portal.accounts.models import User
from portal.accounts.permissions import Actor, Permission
from portal.audit.service import record
from portal.datacenter.orders import REASONS
from portal.datacenter.rules.attempts import forget_faults
from portal.datacenter.rules.expectations import MOST_GRACE_MINUTES, checked_cron, in_words
from portal.datacenter.rules.models import WatchRule
from portal.datacenter.rules.telling import OBJECT
from portal.datacenter.steps import Folder
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.jobs.cron import next_time
from portal.patterns import checked_pattern
from portal.rows.processors import Mode, Processors
from portal.rows.profiles import list_profiles

NAME_LENGTH = 128
LAST_PLACE = 9999
STEP = 10
BELONGS = "This rule is another person's; an administrator may change it."


@dataclass(frozen=True, kw_only=True)
class RuleWish:
    """A rule as somebody words it. `expected` is a cron expression, empty for none."""

    name: str
    pattern: str
    processor: str
    mode: Mode
    place: int
    reason: Folder = Folder.DELETED
    profile: str = ""
    expected: str = ""
    grace_minutes: int = 0


@dataclass(frozen=True, kw_only=True)
class Changing:
    """Who changes rules, when and from where, and what rules can be made of."""

    actor: Actor
    now: datetime
    zone: ZoneInfo
    processors: Processors
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A rule as its pages show it."""

    rule: WatchRule
    owner: str
    expected: str
    may_change: bool


def list_rules(session: Session, *, actor: Actor) -> list[Listed]:
    """All rules in the order in which they are asked."""
    query = (
        select(WatchRule, User.display_name, User.name)
        .outerjoin(User, User.id == WatchRule.owner_id)
        .order_by(WatchRule.place, WatchRule.id)
    )
    return [
        Listed(
            rule=rule,
            owner=shown or name or "nobody",
            expected=in_words(rule.expected) if rule.expected else "",
            may_change=may_change(actor, rule),
        )
        for rule, shown, name in session.execute(query)
    ]


def may_change(actor: Actor, rule: WatchRule) -> bool:
    """Whether `actor` may change, switch and delete a rule."""
    own = actor.user_id is not None and rule.owner_id == actor.user_id
    return actor.may(Permission.DATACENTER_SETTINGS) or (own and actor.may(Permission.IMPORTS_RUN))


def get_rule(session: Session, *, actor: Actor, rule_id: int) -> WatchRule:
    """The rule, to be changed; raises NotFoundError, and ForbiddenError where it is another's."""
    rule = session.get(WatchRule, rule_id)
    if rule is None:
        raise NotFoundError("There is no such rule.")
    if not may_change(actor, rule):
        raise ForbiddenError(BELONGS)
    return rule


def next_place(session: Session) -> int:
    """A place behind all rules."""
    last = session.scalar(select(func.max(WatchRule.place))) or 0
    return min(LAST_PLACE, last + STEP)


def create_rule(session: Session, *, wish: RuleWish, changing: Changing) -> WatchRule:
    """Make a rule that runs as the actor. Raises ForbiddenError, InvalidError or ConflictError."""
    actor = changing.actor
    if actor.user_id is None or not actor.may(Permission.IMPORTS_RUN):
        raise ForbiddenError("A rule runs as its owner, who needs the right to process files.")
    rule = WatchRule(owner_id=actor.user_id, since=changing.now, created_at=changing.now)
    _apply(session, rule, wish, owner=actor, changing=changing)
    session.add(rule)
    session.flush()
    _record(session, "create", rule, changing)
    return rule


def change_rule(session: Session, *, rule_id: int, wish: RuleWish, changing: Changing) -> WatchRule:
    """Change a rule; files for which it could not ask are tried again, a stopped one goes on.

    What it does is checked against the rights of its owner.
    """
    rule = get_rule(session, actor=changing.actor, rule_id=rule_id)
    owner = find_actor(session, rule.owner_id)
    if owner is None:
        raise ConflictError("The owner of this rule is gone; delete it and make a new one.")
    _apply(session, rule, wish, owner=owner, changing=changing)
    _begin_anew(session, rule)
    session.flush()
    _record(session, "change", rule, changing)
    return rule


def switch_rule(session: Session, *, rule_id: int, on: bool, changing: Changing) -> WatchRule:
    """Switch a rule on, also one that stopped by itself, or off."""
    rule = get_rule(session, actor=changing.actor, rule_id=rule_id)
    rule.enabled = on
    rule.due_at, rule.since = _first_due(rule.expected if on else "", changing), changing.now
    _begin_anew(session, rule)
    session.flush()
    _record(session, "enable" if on else "disable", rule, changing)
    return rule


def delete_rule(session: Session, *, rule_id: int, changing: Changing) -> str:
    """Delete a rule; what it asked for stays. Returns its name."""
    rule = get_rule(session, actor=changing.actor, rule_id=rule_id)
    _record(session, "delete", rule, changing)
    session.delete(rule)
    session.flush()
    return rule.name


def _apply(
    session: Session, rule: WatchRule, wish: RuleWish, *, owner: Actor, changing: Changing
) -> None:
    _check_use(session, wish, owner=owner, processors=changing.processors)
    before = (rule.expected, rule.grace_minutes)
    rule.name = _free_name(session, wish.name, rule)
    rule.pattern = checked_pattern(wish.pattern)
    rule.processor, rule.mode, rule.profile = wish.processor, str(wish.mode), wish.profile
    rule.reason = str(wish.reason)
    rule.place = _within(wish.place, 1, LAST_PLACE, "The place")
    rule.grace_minutes = _within(wish.grace_minutes, 0, MOST_GRACE_MINUTES, "The grace in minutes")
    rule.expected = ""
    if wish.expected:
        rule.expected = checked_cron(wish.expected, now=changing.now, zone=changing.zone)
    if before != (rule.expected, rule.grace_minutes):
        rule.since = changing.now
        rule.due_at = _first_due(rule.expected, changing)


def _begin_anew(session: Session, rule: WatchRule) -> None:
    rule.stopped_reason, rule.alarm, rule.alarm_at = "", "", None
    rule.revision += 1
    forget_faults(session, rule_id=rule.id)


def _first_due(expected: str, changing: Changing) -> datetime | None:
    return next_time(expected, after=changing.now, zone=changing.zone) if expected else None


def _check_use(session: Session, wish: RuleWish, *, owner: Actor, processors: Processors) -> None:
    """Refuse what the owner may not do, or what there is not."""
    offered = {one.name: one for one in processors.offered(owner)}
    processor = offered.get(wish.processor)
    if processor is None:
        raise InvalidError("The owner of the rule may not use this processor, or there is none.")
    if wish.mode not in processor.modes:
        allowed = " or ".join(processor.modes)
        raise InvalidError(f"{processor.title} can only be processed in mode {allowed}.")
    if wish.reason not in REASONS:
        raise InvalidError("Records are removed because they were deleted or graduated.")
    fitting = [one.name for one in list_profiles(session) if _is_of(one.processor, one.mode, wish)]
    if wish.profile and wish.profile not in fitting:
        raise InvalidError(
            f"There is no saved mapping {wish.profile!r} for {processor.title} in mode {wish.mode}."
        )


def _is_of(processor: str, mode: Mode, wish: RuleWish) -> bool:
    return (processor, mode) == (wish.processor, wish.mode)


def _free_name(session: Session, name: str, rule: WatchRule) -> str:
    wanted = " ".join(name.split())
    if not wanted or len(wanted) > NAME_LENGTH or not wanted.isprintable():
        raise InvalidError(f"Give the rule a name of at most {NAME_LENGTH} characters.")
    with session.no_autoflush:
        taken = session.scalars(select(WatchRule.id).where(WatchRule.name == wanted)).all()
    if any(other != rule.id for other in taken):
        raise ConflictError(f"Another rule is called {wanted!r}; choose another name.")
    return wanted


def _within(number: int, least: int, most: int, what: str) -> int:
    if not least <= number <= most:
        raise InvalidError(f"{what} must be from {least} to {most}.")
    return number


def _record(session: Session, action: str, rule: WatchRule, changing: Changing) -> None:
    record(
        session,
        actor=changing.actor,
        action=f"datacenter.rule.{action}",
        object_kind=OBJECT,
        object_id=str(rule.id),
        now=changing.now,
        address=changing.address,
        detail={
            "name": rule.name,
            "pattern": rule.pattern,
            "processor": rule.processor,
            "mode": rule.mode,
            "profile": rule.profile,
            "expected": rule.expected,
        },
    )
