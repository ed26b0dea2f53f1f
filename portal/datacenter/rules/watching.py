"""Taking the files that arrive: each is asked for once, as the owner of the first rule it fits."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.datacenter.claims import claims_of
from portal.datacenter.facts import facts_of
from portal.datacenter.folders import DataCenter, DataCenterFile
from portal.datacenter.names import subject_of
from portal.datacenter.orders import Asking, ProcessOrder, ask_to_process
from portal.datacenter.rules import attempts, telling
from portal.datacenter.rules.attempts import Tried
from portal.datacenter.rules.models import WatchRule
from portal.datacenter.rules.patterns import is_for_rules
from portal.datacenter.rules.wording import (
    RuleStoppedError,
    asking_as,
    check_bringer,
    find_mapping,
    order_for,
    usable_processor,
)
from portal.datacenter.service import open_data_center
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.jobs.engine import JobEngine
from portal.patterns import fits
from portal.rows.processors import Processors
from portal.runtime import Runtime

TAKEN_AT_ONCE = 20

Find = Callable[[Runtime], Processors]

log = structlog.get_logger("portal.datacenter")


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A file that no rule tried yet, the rule it is for, and what is known of it.

    `bringer_id` is the user who uploaded it, None where it came by another way.
    """

    file: DataCenterFile
    rule: WatchRule
    before: Tried | None
    sha256: str
    bringer_id: int | None


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One look at the folder: the parts to work with."""

    engine: JobEngine
    center: DataCenter
    processors: Processors


def take_arrivals(engine: JobEngine, *, find: Find) -> int:
    """Ask for the processing of files that rules are for; returns for how many.

    Several may look at once: a file is tried by one of them. What stays in the way of one file
    does not keep the others waiting.
    """
    runtime = engine.runtime
    with runtime.reads() as session:
        rules = in_order(session)
        tried = attempts.attempts(session) if rules else {}
    if not rules:
        return 0
    center = open_data_center(runtime)
    waiting = _waiting(runtime, center, rules, tried)
    if not waiting:
        return 0
    watch = Watch(engine=engine, center=center, processors=find(runtime))
    return sum(_try_one(watch, one) for one in waiting[:TAKEN_AT_ONCE])


def in_order(session: Session) -> list[WatchRule]:
    """The rules that are switched on, the first to be asked first; stopped ones among them."""
    query = select(WatchRule).where(WatchRule.enabled).order_by(WatchRule.place, WatchRule.id)
    return list(session.scalars(query))


def rule_for(shown: str, rules: Iterable[WatchRule]) -> WatchRule | None:
    """The first rule whose pattern a name fits; one that stopped keeps its files from others."""
    return next((rule for rule in rules if fits(rule.pattern, shown)), None)


def _waiting(
    runtime: Runtime, center: DataCenter, rules: list[WatchRule], tried: dict[str, Tried]
) -> list[Waiting]:
    """The files that can be taken now, those that came first first."""
    files = [file for file in center.get_pending_files() if is_for_rules(file.name)]
    _forget_absent(runtime, files, tried)
    fitting = [
        (file, rule)
        for file in files
        if not (file.name in tried and tried[file.name].is_of(file.entry))
        and (rule := rule_for(file.shown, rules)) is not None
        and not rule.stopped_reason
    ]
    with runtime.reads() as session:
        facts = facts_of(session, [file.entry for file, _rule in fitting])
        busy = claims_of(session)
        begun = attempts.begun(session, facts=facts)
    free = [
        Waiting(
            file=file,
            rule=rule,
            before=tried.get(file.name),
            sha256=facts[file.name].sha256,
            bringer_id=facts[file.name].by_id,
        )
        for file, rule in fitting
        if file.name in facts and file.name not in begun and subject_of(file.name) not in busy
    ]
    return sorted(free, key=lambda one: (one.file.entry.mtime_ns, one.file.name))


def _forget_absent(
    runtime: Runtime, files: Iterable[DataCenterFile], tried: dict[str, Tried]
) -> None:
    present = {file.name for file in files}
    absent = [one for name, one in tried.items() if name not in present]
    if absent:
        with runtime.sessions.begin() as session:
            attempts.forget_absent(session, absent=absent)


def _try_one(watch: Watch, waiting: Waiting) -> bool:
    """Take one file; whatever is wrong with it must not keep the others from being taken."""
    try:
        return _take(watch, waiting)
    except RuleStoppedError as error:
        _stop(watch, waiting, str(error))
    except (ConflictError, NotFoundError):
        log.info("file is not to be had now", rule=waiting.rule.id)
    except (ForbiddenError, InvalidError) as error:
        _refuse(watch, waiting, str(error))
    except Exception:
        log.exception("rule failed, it is tried again", rule=waiting.rule.id)
    return False


def _take(watch: Watch, waiting: Waiting) -> bool:
    rule = waiting.rule
    with watch.engine.runtime.reads() as session:
        asking = asking_as(session, rule, engine=watch.engine, processors=watch.processors)
        mapping = find_mapping(session, rule)
    processor = usable_processor(asking, name=rule.processor, mode=rule.mode)
    with watch.engine.runtime.reads() as session:
        check_bringer(session, waiting.bringer_id, rule=rule, processor=processor, asking=asking)
    order = order_for(
        waiting.file, rule, processor=processor, mapping=mapping, sha256=waiting.sha256
    )
    with watch.engine.runtime.sessions.begin() as session:
        taken = _ask(session, watch, waiting, order=order, asking=asking)
        watch.engine.step("asked")
    watch.engine.step("taken")
    return taken


def _ask(
    session: Session, watch: Watch, waiting: Waiting, *, order: ProcessOrder, asking: Asking
) -> bool:
    """Mark the file as tried and ask for it, both or neither."""
    rule = _unchanged(session, waiting.rule)
    if rule is None:
        return False
    attempt = attempts.claim_attempt(
        session,
        entry=waiting.file.entry,
        rule_id=rule.id,
        before=waiting.before,
        now=asking.now,
    )
    if attempt is None:
        return False
    submitted = ask_to_process(session, order=order, center=watch.center, asking=asking)
    attempt.job_id = rule.last_job_id = submitted.job.id
    rule.last_at, rule.last_file = asking.now, waiting.file.shown
    session.flush()
    log.info("file taken", rule=rule.id, job=submitted.job.id)
    return True


def _stop(watch: Watch, waiting: Waiting, reason: str) -> None:
    """Let the rule stop; the file waits on, untried."""
    runtime = watch.engine.runtime
    with runtime.sessions.begin() as session:
        rule = _unchanged(session, waiting.rule)
        if rule is not None:
            telling.stop_rule(
                session, rule=rule, reason=reason, settings=runtime.settings, now=runtime.clock()
            )


def _refuse(watch: Watch, waiting: Waiting, fault: str) -> None:
    """Leave the file waiting for a person, who is told why."""
    runtime, file = watch.engine.runtime, waiting.file
    now = runtime.clock()
    with runtime.sessions.begin() as session:
        rule = _unchanged(session, waiting.rule)
        if rule is None:
            return
        attempt = attempts.claim_attempt(
            session, entry=file.entry, rule_id=rule.id, before=waiting.before, now=now
        )
        if attempt is None:
            return
        attempt.fault, rule.last_at, rule.last_file = fault, now, file.shown
        rule.last_job_id = None
        text = f"{file.shown} could not be processed and waits. {fault}"
        telling.raise_alarm(session, rule=rule, text=text, settings=runtime.settings, now=now)


def _unchanged(session: Session, seen: WatchRule) -> WatchRule | None:
    """The rule, if nobody changed it since it was looked at."""
    return session.scalar(
        select(WatchRule)
        .where(WatchRule.id == seen.id, WatchRule.revision == seen.revision)
        .where(WatchRule.enabled, WatchRule.stopped_reason == "")
        .with_for_update()
    )
