"""Doing rows again: many deeds at once, or one under a savepoint; what is refused is left."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from portal.rows.deciding import Action
from portal.rows.doing import FEW, all_created, created, removed, updated
from portal.rows.fates import Fate
from portal.rows.faults import fate_of_fault
from portal.rows.processors import ManyRecords, Record
from portal.rows.redoing import left
from portal.rows.undertaking import Undertaking
from portal.rows.undoing import Deed
from portal.tabular.fields import Values


def do_deed(session: Session, run: Undertaking, deed: Deed) -> Fate:
    """What became of one row; what it wrote before it was refused is rolled back."""
    if deed.action is Action.REFUSE:
        return left(deed.reason)
    try:
        with session.begin_nested():
            return _done(session, run, deed)
    except Exception as fault:
        texts = fate_of_fault(fault, run).errors or {}
        return left("; ".join(text for field in texts.values() for text in field))


def do_deeds(session: Session, run: Undertaking, deeds: Sequence[Deed]) -> list[Fate]:
    """What became of many rows; where one is refused, its half is tried apart."""
    if len(deeds) <= FEW or run.many is None:
        return [do_deed(session, run, deed) for deed in deeds]
    try:
        with session.begin_nested():
            return _done_many(session, run, run.many, deeds)
    except Exception as fault:
        fate_of_fault(fault, run)  # raises what is no row's fault
    half = len(deeds) // 2
    return [*do_deeds(session, run, deeds[:half]), *do_deeds(session, run, deeds[half:])]


def _done(session: Session, run: Undertaking, deed: Deed) -> Fate:
    records, acting, record, values = run.processor.records, run.acting(), deed.record, deed.values
    if deed.action is Action.CREATE and values is not None:
        return created(run, values, records.create(session, values, acting=acting))
    if record is None:
        raise ValueError(f"there is nothing to {deed.action}")
    if deed.action is Action.REMOVE:
        records.remove(session, record, acting=acting)
        return removed(record)
    changes = values or {}
    return updated(record, changes, records.update(session, record, changes, acting=acting))


def _done_many(
    session: Session, run: Undertaking, many: ManyRecords, deeds: Sequence[Deed]
) -> list[Fate]:
    """One call for each kind of deed; whatever a call refuses, all of them are rolled back."""
    fates = [left(deed.reason) for deed in deeds]
    for at, fate in _created_many(session, run, many, deeds):
        fates[at] = fate
    changed = [(at, *pair) for at, pair in _pairs(deeds, Action.UPDATE)]
    if changed:
        pairs = [(record, values) for _, record, values in changed]
        now = many.update_many(session, pairs, acting=run.acting())
        for (at, record, values), after in zip(changed, now, strict=True):
            fates[at] = updated(record, values, after)
    gone = [(at, record) for at, (record, _) in _pairs(deeds, Action.REMOVE)]
    if gone:
        many.remove_many(session, [record for _, record in gone], acting=run.acting())
        for at, record in gone:
            fates[at] = removed(record)
    return fates


def _created_many(
    session: Session, run: Undertaking, many: ManyRecords, deeds: Sequence[Deed]
) -> list[tuple[int, Fate]]:
    chosen = [
        (at, deed.values)
        for at, deed in enumerate(deeds)
        if deed.action is Action.CREATE and deed.values is not None
    ]
    if not chosen:
        return []
    rows = [values for _, values in chosen]
    made = all_created(run, rows, many.create_many(session, rows, acting=run.acting()))
    return [(at, fate) for (at, _), fate in zip(chosen, made, strict=True)]


def _pairs(deeds: Sequence[Deed], action: Action) -> list[tuple[int, tuple[Record, Values]]]:
    return [
        (at, (deed.record, deed.values or {}))
        for at, deed in enumerate(deeds)
        if deed.action is action and deed.record is not None
    ]
