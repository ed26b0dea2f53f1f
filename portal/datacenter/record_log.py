"""The lines that a batch leaves in the log: one for each record it changed, one for the whole."""

from collections.abc import Iterator
from itertools import islice

from portal.datacenter.folders import DataCenter
from portal.datacenter.logs import Event, Processed, append_event, append_events, updated_message
from portal.jobs.work import Work
from portal.rows import ledger
from portal.rows.batch import EFFECTS, Batch, Entry
from portal.rows.books import open_books
from portal.rows.images import values_of
from portal.tabular.canonical import text_of

AT_ONCE = 500


def log_batch(work: Work, center: DataCenter, batch: Batch, message: str) -> None:
    """Log what was done with a batch as a whole."""
    runtime = work.runtime
    event = Event(processor=batch.order.processor, user=work.actor.name, message=message)
    append_event(center.logs_path, event, now=runtime.clock(), zone=runtime.settings.zone)


def log_records(work: Work, center: DataCenter, batch: Batch, *, since: int) -> None:
    """Log each record that was changed from the attempt `since` on.

    Very many records created at once, which the ledger tells as a range, have no line each.
    """
    runtime, books = work.runtime, open_books(work.runtime, batch.store)
    row = books.tables.row.c
    wanted = (row.outcome.in_([str(one) for one in EFFECTS]), row.attempt >= since)
    with books.read() as session:
        entries = ledger.entries(session, books.tables, batch, *wanted, row.record_key != "")
        events = (_event(work, batch, entry) for entry in entries)
        for portion in _portions(events):
            work.checkpoint()
            now, zone = runtime.clock(), runtime.settings.zone
            append_events(center.logs_path, portion, now=now, zone=zone)


def processed(batch: Batch, center: DataCenter, work: Work) -> Processed:
    """The sums of a batch, as its line in the log tells them."""
    counts, began = batch.counts, batch.started_at or batch.created_at
    return Processed(
        path=center.storage / batch.order.owner,
        mode=str(batch.order.mode),
        lines=counts.total or 0,
        successful=counts.created + counts.updated + counts.unchanged + counts.removed,
        failed=counts.failed,
        seconds=(work.runtime.clock() - began).total_seconds(),
    )


def _event(work: Work, batch: Batch, entry: Entry) -> Event:
    values = {name: text_of(value) for name, value in values_of(entry.after or {}).items()}
    message = updated_message(
        batch.order.processor,
        file=batch.order.file_name,
        key=entry.record_key,
        values=values,
        done=str(entry.outcome),
    )
    return Event(processor=batch.order.processor, user=work.actor.name, message=message)


def _portions(events: Iterator[Event]) -> Iterator[list[Event]]:
    while portion := list(islice(events, AT_ONCE)):
        yield portion
