"""What the pages of imports say of counts. Pure."""

from portal.rows.batch import Batch, Counts, Outcome
from portal.rows.processors import Mode

_USUAL = {
    Mode.CREATE: (Outcome.CREATED,),
    Mode.UPDATE: (Outcome.UPDATED, Outcome.UNCHANGED),
    Mode.UPSERT: (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED),
    Mode.REMOVE: (Outcome.REMOVED,),
}
_WORDS = {
    Outcome.CREATED: ("Inserted", "Would be inserted"),
    Outcome.UPDATED: ("Updated", "Would be updated"),
    Outcome.UNCHANGED: ("Unchanged", "Unchanged"),
    Outcome.REMOVED: ("Deleted", "Would be deleted"),
    Outcome.SKIPPED: ("Skipped", "Skipped"),
    Outcome.FAILED: ("Failed", "Would fail"),
}
KEPT = "Rows that somebody changed since are kept as they are now, and listed."


def counts_shown(batch: Batch) -> list[tuple[str, str, str]]:
    """The outcomes that the mode can have, and others there were: name, word, word of a plan."""
    usual = (*_USUAL[batch.order.mode], Outcome.FAILED)
    shown = [one for one in _WORDS if one in usual or getattr(batch.counts, one)]
    return [(str(one), *_WORDS[one]) for one in shown]


def undo_text(counts: Counts) -> str:
    """What undoing an import with these counts does, and what will be lost."""
    parts = []
    if counts.created:
        parts.append(f"{_rows(counts.created)} inserted will be deleted")
    if counts.updated:
        parts.append(f"{_rows(counts.updated)} changed will be as before")
    if counts.removed:
        parts.append(f"{_rows(counts.removed)} deleted will be inserted again")
    return f"{'; '.join(parts)}. {KEPT}"


def _rows(count: int) -> str:
    return "1 row that was" if count == 1 else f"{count:,} rows that were"
