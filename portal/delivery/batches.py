"""Batches: all files of one are uploaded aside and compared, then all are renamed.

The ledger is committed before the uploads, before the renames, and after them; then the files move
to `cur`. What a broken line leaves open is looked at on the server before anything else is done.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from portal.delivery.faults import AbsentError, DeliveryError, LostError, Reason
from portal.delivery.ledger import Entry, Ledger
from portal.delivery.parcels import (
    Parcel,
    UncertainError,
    check_whole,
    compare,
    look,
    publish,
    replace_target,
    take_over,
    uncertain,
    upload,
)
from portal.delivery.policies import POLICIES, is_given_up
from portal.delivery.recovering import Next
from portal.delivery.remote import discard
from portal.delivery.run import LOSSES, Run
from portal.delivery.spool import Space, Spool
from portal.delivery.states import FileState
from portal.delivery.transfer_log import MOVED, TRANSFER

BATCH_FILES = 50
BATCH_BYTES = 4 * 1024 * 1024


def batches(parcels: Sequence[Parcel], *, connections: int = 1) -> Iterator[list[Parcel]]:
    """Files that go together: few, or small ones; no connection shall be without."""
    batch: list[Parcel] = []
    size, most = 0, min(BATCH_FILES, -(-len(parcels) // connections))
    for parcel in parcels:
        if batch and (len(batch) == most or size + parcel.item.size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(parcel)
        size += parcel.item.size
    if batch:
        yield batch


def deliver(run: Run, batch: Sequence[Parcel]) -> None:
    """Try until each is delivered or given up for this run; a broken line is opened again.

    Raises DeliveryError where the run cannot go on.
    """
    while any(parcel.pending for parcel in batch):
        try:
            _try(run, [parcel for parcel in batch if parcel.pending])
            run.losses = 0
        except DeliveryError as fault:
            _take_loss(run, fault)
            for parcel in batch:
                parcel.step = None
        except BaseException:
            run.line.hang_up()  # in the middle of something; what comes next would be misread
            raise
        finally:
            _end(run, [parcel for parcel in batch if parcel.delivered and not parcel.ended])


def move_away(ledger: Ledger, spool: Spool, entries: Sequence[Entry]) -> None:
    """Move delivered files to `cur`, under a free name where an earlier one has their own."""
    kept = spool.put_all_away([entry.name for entry in entries], Space.NEW, Space.CUR)
    for entry in entries:
        kept_as = kept[entry.name]
        if kept_as is not None and kept_as != entry.name:
            ledger.keep_name(entry, kept_as)


def _try(run: Run, pending: Sequence[Parcel]) -> None:
    """Take all steps once."""
    run.beat()
    look(run.line.remote, [parcel for parcel in pending if parcel.step is None])
    _upload(run, [parcel for parcel in pending if parcel.step is Next.SEND])
    _rename(run, [parcel for parcel in pending if parcel.step is Next.RENAME])
    for parcel in pending:
        if parcel.step in (Next.PUBLISH, Next.COMPARE, Next.UNCERTAIN):
            _each(run, parcel, _resolve)


def _take_loss(run: Run, fault: DeliveryError) -> None:
    """A broken line is opened again, a few times; all else ends the run."""
    run.line.hang_up()
    run.losses += 1
    if fault.reason is not Reason.NETWORK or run.losses >= LOSSES:
        raise fault


def _upload(run: Run, parcels: Sequence[Parcel]) -> None:
    offsets = {
        id(parcel): take_over(run.line.remote, parcel, spool=run.spool) for parcel in parcels
    }
    begun = run.ledger.begin([parcel.begun() for parcel in parcels])
    for parcel, entry in zip(parcels, begun, strict=True):
        parcel.entry = entry
    stored = [parcel for parcel in parcels if _each(run, parcel, _store(offsets[id(parcel)]))]
    sizes = run.line.remote.sizes([parcel.temporary for parcel in stored])
    sums = run.line.remote.sums(sizes)
    whole = [parcel for parcel in stored if _each(run, parcel, _compare(sizes, sums))]
    for parcel in whole:
        parcel.came_to(FileState.RENAMING)
        parcel.step = Next.RENAME
    run.ledger.note([parcel.entry for parcel in whole])


def _store(offset: int) -> Callable[[Run, Parcel], None]:
    def store(run: Run, parcel: Parcel) -> None:
        run.beat()
        with run.moving(parcel.item.name, parcel.item.size, done=offset) as told:
            upload(run, parcel, told=told, offset=offset)

    return store


def _compare(sizes: dict[str, int], sums: dict[str, str]) -> Callable[[Run, Parcel], None]:
    def check(_run: Run, parcel: Parcel) -> None:
        check_whole(parcel, sizes.get(parcel.temporary), sums.get(parcel.temporary))

    return check


def _rename(run: Run, parcels: Sequence[Parcel]) -> None:
    fresh = [parcel for parcel in parcels if parcel.entry.state is not FileState.RENAMING]
    for parcel in fresh:
        parcel.came_to(FileState.RENAMING)
    run.ledger.note([parcel.entry for parcel in fresh])
    faults = run.line.remote.rename_all(
        [(parcel.entry.temporary, parcel.entry.name) for parcel in parcels]
    )
    for parcel, fault in zip(parcels, faults, strict=True):
        if fault is None:
            parcel.delivered = True
        elif isinstance(fault, AbsentError):
            parcel.step = None
        else:
            _each(run, parcel, _replace)


def _replace(run: Run, parcel: Parcel) -> None:
    replace_target(run.line.remote, parcel, run.ledger)
    parcel.delivered = True


def _resolve(run: Run, parcel: Parcel) -> None:
    if parcel.step is Next.UNCERTAIN:
        raise uncertain(parcel.entry)
    if parcel.step is Next.PUBLISH:
        publish(run.line.remote, parcel.entry)
    else:
        compare(run.line.remote, parcel.entry)
    parcel.delivered = True


def _each(run: Run, parcel: Parcel, step: Callable[[Run, Parcel], None]) -> bool:
    """Take a step with one file; its own faults do not keep the others. False where it failed."""
    try:
        step(run, parcel)
    except LostError:
        raise
    except UncertainError as fault:
        _put_aside(run, parcel, fault, FileState.UNCERTAIN)
        with run.desk:
            run.outcome.uncertain += 1
        return False
    except DeliveryError as fault:
        _judge(run, parcel, fault)
        return False
    return True


def _judge(run: Run, parcel: Parcel, fault: DeliveryError) -> None:
    """Try again now, or in the next run, or never; what concerns the server ends the run."""
    if fault.reason is Reason.NETWORK:
        raise fault
    if is_given_up(fault.reason, tries=parcel.entry.tries):
        with suppress(DeliveryError):
            discard(run.line.remote, parcel.temporary)
        _put_aside(run, parcel, fault, FileState.QUARANTINED)
        with run.desk:
            run.outcome.quarantined += 1
        return
    if fault.reason is Reason.INTEGRITY:
        parcel.entry = replace(parcel.entry, tries=parcel.entry.tries + 1)
        parcel.step = Next.SEND
        return
    parcel.came_to(FileState.FAILED)
    run.ledger.fail(parcel.entry, fault)
    parcel.given_up = True
    with run.desk:
        run.outcome.failed += 1
    if POLICIES[fault.reason].ends_run:
        raise fault


def _put_aside(run: Run, parcel: Parcel, fault: DeliveryError, state: FileState) -> None:
    """The row first: where the file stays in `new`, the next run sees what was decided."""
    parcel.came_to(state)
    run.ledger.fail(parcel.entry, fault)
    kept_as = run.spool.put_away(parcel.entry.name, Space.NEW, Space.QUARANTINE)
    run.ledger.keep_name(parcel.entry, kept_as)
    run.log(f"{parcel.entry.name} was put aside: {fault}")
    parcel.given_up = True


def _end(run: Run, delivered: Sequence[Parcel]) -> None:
    """The ledger knows it, then the file moves; a crash between is ended by the next run."""
    if not delivered:
        return
    for parcel in delivered:
        parcel.came_to(FileState.DELIVERED)
    run.ledger.note([parcel.entry for parcel in delivered])
    move_away(run.ledger, run.spool, [parcel.entry for parcel in delivered])
    for parcel in delivered:
        TRANSFER.info("Uploaded file %s", parcel.entry.name)
        TRANSFER.info(MOVED, parcel.entry.name)
        parcel.ended = True
    with run.desk:
        run.outcome.done += len(delivered)
        run.outcome.bytes += sum(parcel.item.size for parcel in delivered)
