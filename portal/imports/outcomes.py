"""What an import came to, as its job tells it."""

from itertools import islice
from typing import Any

from portal.imports.repeated import find_earlier
from portal.imports.words import table_of
from portal.jobs.work import UnsuccessfulError, Work
from portal.rows import ledger
from portal.rows.batch import Batch, Counts, Outcome
from portal.rows.books import open_books
from portal.rows.redoing import LEFT
from portal.rows.results import kept_rows
from portal.runtime import Runtime
from portal.tables.catalog import catalog_of
from portal.tables.result_text import MOST, result_text

UNDONE = "{undone:,} row(s) as they were before; {kept:,} changed since and kept"
REDONE = "{redone:,} row(s) as the import made them; {left:,} changed since and left"
PLANNED = (
    "{created} to insert, {updated} to update, {unchanged} unchanged, "
    "{removed} to delete, {failed} refused"
)


def result_of(work: Work, batch: Batch) -> dict[str, Any]:
    """The result of an import's job: its batch and counts, the text, and a warning if there is one.

    Of a dry run the text is the plan in one line.
    """
    result = {"batch": batch.id, **batch.counts.as_json(), "text": text_of(work.runtime, batch)}
    warning = _warning(work.runtime, batch)
    return result | ({"warning": warning} if warning else {})


def refusal_of(result: dict[str, Any]) -> UnsuccessfulError:
    """How a job ends that imported nothing: the first line is its reason, the result has all."""
    return UnsuccessfulError(result["text"].partition("\n")[0], result=result)


def text_of(runtime: Runtime, batch: Batch) -> str:
    """What the batch came to, word for word as the original says it."""
    if batch.order.dry_run:
        return plan_line(batch.counts)
    books = open_books(runtime, batch.store)
    shape = catalog_of(runtime).find(table_of(batch.order.processor))
    failed = books.tables.row.c.outcome == str(Outcome.FAILED)
    with books.read() as session:
        there = ledger.find_batch(session, books.tables, batch.id) or batch
        failing = ledger.entries(session, books.tables, there, failed)
        columns = batch.order.columns
        return result_text(batch.counts, failing, shape=shape, columns=columns)


def undone_text(runtime: Runtime, batch: Batch, *, most: int = MOST) -> str:
    """What an undo came to, and the first rows that it had to keep, each with its reason."""
    line = UNDONE.format(undone=batch.undone, kept=batch.kept)
    books = open_books(runtime, batch.store)
    with books.read() as session:
        kept = kept_rows(session, tables=books.tables, batch=batch)
        lines = [line, *(f"    {one.row}: {one.reason}" for one in islice(kept, most))]
    more = batch.kept - most
    return "\n".join([*lines, f"    … and {more:,} more"] if more > 0 else lines)


def redone(runtime: Runtime, batch: Batch, *, most: int = MOST) -> dict[str, Any]:
    """What doing an import again came to, and the first rows that were left, each with a reason."""
    books, counts = open_books(runtime, batch.store), batch.counts
    was_left = books.tables.row.c.skip_reason.startswith(LEFT.partition("{")[0])
    with books.read() as session:
        there = ledger.find_batch(session, books.tables, batch.id) or batch
        found = ledger.entries(session, books.tables, there, was_left)
        first = [f"    {one.first_row}: {one.skip_reason}" for one in islice(found, most)]
        left = len(first) + sum(1 for _ in found)
    done = counts.created + counts.updated + counts.removed
    lines = [REDONE.format(redone=done, left=left), *first]
    lines += [f"    … and {left - most:,} more"] if left > most else []
    return {"redone": done, "left": left, "text": "\n".join(lines)}


def plan_line(counts: Counts) -> str:
    """What a dry run found, in one line."""
    return PLANNED.format(**{str(one): f"{getattr(counts, one):,}" for one in Outcome})


def _warning(runtime: Runtime, batch: Batch) -> str:
    order = batch.order
    with runtime.reads() as session:
        earlier = find_earlier(
            session,
            table=table_of(order.processor),
            mode=order.mode,
            sha256=order.sha256,
            place=order.owner,
            but=batch.id,
        )
    return "" if earlier is None else earlier.warning
