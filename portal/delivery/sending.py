"""Sending what waits in a spool, in the order of the names."""

from collections.abc import Sequence
from dataclasses import replace

from portal.delivery.batches import batches, deliver, move_away
from portal.delivery.connecting import locked_line
from portal.delivery.faults import DeliveryError, Reason
from portal.delivery.ledger import Entry, Ledger
from portal.delivery.outbox import Waiting, waiting
from portal.delivery.parcels import (
    Parcel,
    UncertainError,
    compare,
    look_for,
    publish,
    uncertain,
)
from portal.delivery.recovering import Next
from portal.delivery.remote import discard
from portal.delivery.run import Outcome, Route, Run
from portal.delivery.side_by_side import side_by_side
from portal.delivery.spool import Space, Spool
from portal.delivery.states import ASIDE, FileState
from portal.delivery.transfer_log import MOVED, TRANSFER
from portal.jobs.work import Work

_GONE = "The file was taken out of the spool before it was sent."


def send(work: Work, ledger: Ledger, route: Route, outcome: Outcome) -> None:
    """Send all, and say in `outcome` what became of it; with nothing to do, nobody is called.

    Raises DeliveryError where the run cannot go on, LockedError where the server is locked.
    """
    left = {entry.name: entry for entry in ledger.open_entries()}
    if not route.names and not left:
        return
    with locked_line(route.server, dial=route.dial, lock=route.lock, spool=route.spool) as line:
        run = Run.of(work, ledger, route, outcome, line=line)
        parcels = [_parcel(run, item, left) for item in _items(run, route.names)]
        _settle_others(run, left, parcels)
        _send_all(run, parcels, connections=route.connections)


def quarantine_refused(ledger: Ledger, spool: Spool) -> int:
    """Put files aside whose names cannot be delivered; returns how many."""
    refused = spool.refused(Space.NEW)
    for name, why in refused.items():
        kept_as = spool.put_away(name, Space.NEW, Space.QUARANTINE)
        entry = Entry(id=0, name=kept_as, state=FileState.QUARANTINED, size=0)
        fault = DeliveryError(Reason.REFUSED_NAME, why)
        ledger.fail(ledger.begin([entry])[0], fault, kept_as=kept_as)
    return len(refused)


def finish_moves(ledger: Ledger, spool: Spool) -> None:
    """Move files that were delivered or put aside just before a crash; they are not sent again."""
    for entry in ledger.ended(spool.names(Space.NEW), FileState.DELIVERED):
        found = waiting(spool, entry.name)
        if found is not None and found.identity == entry.identity:
            move_away(ledger, spool, [entry])
            TRANSFER.info(MOVED, entry.name)
    for state in ASIDE:
        for entry in ledger.ended(spool.names(Space.NEW), state):
            found = waiting(spool, entry.name)
            if found is not None and found.identity == entry.identity:
                kept_as = spool.put_away(entry.name, Space.NEW, Space.QUARANTINE)
                ledger.keep_name(entry, kept_as)


def _items(run: Run, names: Sequence[str]) -> list[Waiting]:
    found = [waiting(run.spool, name) for name in names]
    return [item for item in found if item is not None]


def _parcel(run: Run, item: Waiting, left: dict[str, Entry]) -> Parcel:
    """A file with its row; what an earlier run was busy with needs a look at the server."""
    earlier = left.get(item.name)
    if earlier is None or earlier.identity != item.identity:
        entry = Entry(id=0, name=item.name, state=FileState.SENDING, size=item.size)
        return Parcel(item, entry, run.temporary())
    again = replace(earlier, tries=earlier.tries + 1)
    return Parcel(item, again, run.temporary(), step=None)


def _settle_others(run: Run, left: dict[str, Entry], parcels: Sequence[Parcel]) -> None:
    """What an earlier run was busy with, and is in the spool no more, comes to an end first."""
    known = {parcel.entry.id for parcel in parcels}
    for entry in left.values():
        if entry.id not in known:
            _settle(run, entry)


def _settle(run: Run, entry: Entry) -> None:
    remote = run.line.remote
    step, _left = look_for(remote, [entry])[0]
    try:
        if step in (Next.SEND, Next.RENAME):
            _forget(run, entry)
            return
        if step is Next.UNCERTAIN:
            raise uncertain(entry)
        publish(remote, entry) if step is Next.PUBLISH else compare(remote, entry)
        run.ledger.note([replace(entry, state=FileState.DELIVERED)])
    except UncertainError as fault:
        run.ledger.fail(replace(entry, state=FileState.UNCERTAIN), fault)
        run.outcome.uncertain += 1


def _forget(run: Run, entry: Entry) -> None:
    if entry.temporary:
        discard(run.line.remote, entry.temporary)
    gone = DeliveryError(Reason.NOT_FOUND, _GONE)
    run.ledger.fail(replace(entry, state=FileState.RETURNED), gone)


def _send_all(run: Run, parcels: Sequence[Parcel], *, connections: int) -> None:
    total = len(parcels)

    def send_batch(hand: Run, batch: list[Parcel]) -> None:
        _tell(hand, total, message=batch[0].item.name)
        deliver(hand, batch)

    waiting = list(batches(parcels, connections=connections))
    side_by_side(run, waiting, send_batch, connections=connections)
    _tell(run, total)


def _tell(run: Run, total: int, **more: str) -> None:
    outcome = run.outcome
    with run.desk:
        done = outcome.done + outcome.failed + outcome.quarantined + outcome.uncertain
        run.work.progress(stage="Sending", done=min(done, total), total=total, unit="files", **more)
