"""Doing a row, or many at once: look for the record, decide, act under a savepoint."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from portal.errors import ForbiddenError
from portal.rows.batch import Outcome
from portal.rows.deciding import Action, Decision, decide
from portal.rows.fates import CREATED, UNCHANGED, Fate, failed, refused
from portal.rows.faults import fate_of_fault
from portal.rows.images import hash_of, short_hash
from portal.rows.processors import (
    Checking,
    Deriving,
    ManyRecords,
    Mode,
    Record,
    RefusedRowError,
)
from portal.rows.undertaking import Undertaking
from portal.tabular.fields import Values
from portal.tabular.markers import REQUIRED

FEW = 8


def do_row(session: Session, run: Undertaking, values: Values) -> Fate:
    """Do one row; what it wrote before it was refused is rolled back."""
    try:
        with session.begin_nested():
            return _do(session, run, values)
    except Exception as fault:
        return fate_of_fault(fault, run)


def do_together(session: Session, run: Undertaking, rows: Sequence[Values]) -> list[Fate] | None:
    """Do many rows that name different records; None, and nothing done, when one is refused."""
    if run.many is None:
        return None
    try:
        with session.begin_nested():
            return _do_many(session, run, run.many, rows)
    except ForbiddenError:
        raise  # a right on all of them is gone: no use in asking for each
    except Exception as fault:
        fate_of_fault(fault, run)  # raises what is no row's fault
        return None


def derive(
    session: Session, run: Undertaking, rows: Sequence[Values]
) -> list[RefusedRowError | None]:
    """What the rules of the records, as they are known, refuse of rows; nothing is written."""
    derived: list[RefusedRowError | None] = [None] * len(rows)
    records = run.processor.records
    if not isinstance(records, Deriving):
        return derived
    found = _find_many(session, run, records, rows)
    decisions = _decided(run, found, rows)
    chosen = [
        at
        for at, decision in enumerate(decisions)
        if decision.action in (Action.CREATE, Action.UPDATE)
    ]
    pairs = [(found[at], decisions[at].changes or rows[at]) for at in chosen]
    refusals = records.derive(session, run.mode, pairs, acting=run.acting())
    for at, refusal in zip(chosen, refusals, strict=True):
        derived[at] = refusal
    return derived


def create_all(session: Session, run: Undertaking, rows: Sequence[Values]) -> list[Fate] | None:
    """Create a record for each row without looking first; None, and nothing done, when refused."""
    if run.many is None or not rows:
        return None if rows else []
    try:
        with session.begin_nested():
            made = run.many.create_many(session, rows, acting=run.acting())
            return all_created(run, rows, made)
    except ForbiddenError:
        raise
    except Exception as fault:
        fate_of_fault(fault, run)
        return None


def all_created(run: Undertaking, rows: Sequence[Values], made: Sequence[Record]) -> list[Fate]:
    """The fates of rows that made records; those that say all of a record need not look at it."""
    if len(made) != len(rows):
        raise ValueError(f"{run.processor.name} made {len(made)} records of {len(rows)} rows")
    width, name = len(run.names), run.named_by
    return [
        CREATED
        if len(values) == width and name(values) is not None
        else created(run, values, made[at])
        for at, values in enumerate(rows)
    ]


def created(run: Undertaking, values: Values, record: Record) -> Fate:
    """The fate of a row that made a record.

    Where there are very many it is told as a part of a range: its key is found again from the
    source, and what the source does not say of it stands in a short hash.
    """
    if run.many is not None and run.named_by(values) is not None:
        if len(values) == len(run.names):
            return CREATED
        short = short_hash(record.values, run.unsaid(values))
        return Fate(outcome=Outcome.CREATED, short=short, alone=False)
    return Fate(
        outcome=Outcome.CREATED,
        key=record.key,
        after=run.naming(record.values),
        after_hash=hash_of(record.values),
    )


def updated(record: Record, changes: Values, now: Record) -> Fate:
    """The fate of a row that changed a record."""
    return Fate(
        outcome=Outcome.UPDATED,
        record=record,
        key=record.key,
        after=changes,
        after_hash=hash_of(now.values),
    )


def removed(record: Record) -> Fate:
    """The fate of a row that removed a record."""
    return Fate(outcome=Outcome.REMOVED, record=record, key=record.key)


def _do(session: Session, run: Undertaking, values: Values) -> Fate:
    records = run.processor.records
    named = run.looks and run.named_by(values) is not None
    record = records.find(session, run.asking(values), acting=run.acting()) if named else None
    (decision,) = _decided(run, [record], [values])
    if run.dry_run:
        return _planned(session, run, decision, record, values)
    match decision.action:
        case Action.CREATE:
            return created(run, values, records.create(session, values, acting=run.acting()))
        case Action.UPDATE if record is not None and decision.changes is not None:
            changes = decision.changes
            now = records.update(session, record, changes, acting=run.acting())
            return updated(record, changes, now)
        case Action.REMOVE if record is not None:
            records.remove(session, record, acting=run.acting())
            return removed(record)
    return without_effect(decision)


def _do_many(
    session: Session, run: Undertaking, many: ManyRecords, rows: Sequence[Values]
) -> list[Fate]:
    found = _find_many(session, run, many, rows)
    decisions = _decided(run, found, rows)
    if run.dry_run:
        return [
            _planned(session, run, decision, record, values)
            for decision, record, values in zip(decisions, found, rows, strict=True)
        ]
    fates = [without_effect(decision) for decision in decisions]
    _create_many(session, run, many, rows, decisions, fates)
    _update_many(session, run, many, found, decisions, fates)
    _remove_many(session, run, many, found, decisions, fates)
    return fates


def _decided(
    run: Undertaking, found: Sequence[Record | None], rows: Sequence[Values]
) -> list[Decision]:
    return [
        decide(run.mode, record, values, identity=run.identity or (), needed=run.needed)
        for record, values in zip(found, rows, strict=True)
    ]


def _find_many(
    session: Session, run: Undertaking, many: ManyRecords, rows: Sequence[Values]
) -> list[Record | None]:
    if run.identity is None or not run.looks:
        return [None] * len(rows)
    named = [index for index, values in enumerate(rows) if run.named_by(values) is not None]
    asked = [run.asking(rows[index]) for index in named]
    found: list[Record | None] = [None] * len(rows)
    answers = many.find_many(session, asked, acting=run.acting())
    for index, record in zip(named, answers, strict=True):
        found[index] = record
    return found


def _create_many(
    session: Session,
    run: Undertaking,
    many: ManyRecords,
    rows: Sequence[Values],
    decisions: Sequence[Decision],
    fates: list[Fate],
) -> None:
    chosen = _chosen(decisions, Action.CREATE)
    if chosen:
        asked = [rows[at] for at in chosen]
        made = many.create_many(session, asked, acting=run.acting())
        for at, fate in zip(chosen, all_created(run, asked, made), strict=True):
            fates[at] = fate


def _update_many(
    session: Session,
    run: Undertaking,
    many: ManyRecords,
    found: Sequence[Record | None],
    decisions: Sequence[Decision],
    fates: list[Fate],
) -> None:
    chosen = [
        (at, record, changes)
        for at in _chosen(decisions, Action.UPDATE)
        if (record := found[at]) is not None and (changes := decisions[at].changes) is not None
    ]
    if chosen:
        pairs = [(record, changes) for _, record, changes in chosen]
        answers = many.update_many(session, pairs, acting=run.acting())
        for (at, record, changes), now in zip(chosen, answers, strict=True):
            fates[at] = updated(record, changes, now)


def _remove_many(
    session: Session,
    run: Undertaking,
    many: ManyRecords,
    found: Sequence[Record | None],
    decisions: Sequence[Decision],
    fates: list[Fate],
) -> None:
    chosen = [
        (at, record)
        for at in _chosen(decisions, Action.REMOVE)
        if (record := found[at]) is not None
    ]
    if chosen:
        many.remove_many(session, [record for _, record in chosen], acting=run.acting())
        for at, record in chosen:
            fates[at] = removed(record)


def _chosen(decisions: Sequence[Decision], action: Action) -> list[int]:
    return [at for at, decision in enumerate(decisions) if decision.action is action]


def _planned(
    session: Session,
    run: Undertaking,
    decision: Decision,
    record: Record | None,
    values: Values,
) -> Fate:
    """What would become of a row. Nothing is tried out: that would burn a sequence's numbers."""
    if decision.action in (Action.CREATE, Action.UPDATE, Action.REMOVE):
        records = run.processor.records
        if isinstance(records, Checking):
            given = values if decision.changes is None else decision.changes
            mode = Mode(decision.action)
            records.check(session, mode, record, given, acting=run.acting())
    match decision.action:
        case Action.CREATE:
            return CREATED
        case Action.UPDATE if record is not None:
            return Fate(
                outcome=Outcome.UPDATED, record=record, key=record.key, after=decision.changes
            )
        case Action.REMOVE if record is not None:
            return removed(record)
    return without_effect(decision)


def without_effect(decision: Decision) -> Fate:
    if decision.missing:
        return refused({name: [REQUIRED] for name in decision.missing})
    return failed(decision.text) if decision.action is Action.REFUSE else UNCHANGED
