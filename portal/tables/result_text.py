"""What an import came to, in the words of the import tools before Portal. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from portal.rows.batch import Counts, Entry
from portal.tables.original_texts import WIDTH, adapt_text, empty_text
from portal.tables.shapes import TableShape
from portal.tabular.markers import REQUIRED

MOST = 50
IMPORTED = "Successfully imported {count} row(s)"
ERRORS = "Errors occurred while importing the records"
_RAGGED = ("Row has ", "the header has ")
_NO_VALUE = "Invalid "  # so begins what the converters of cells say
_OWN = ("Got a", "Unable to resolve a link: ")


def result_text(
    counts: Counts,
    failing: Iterable[Entry],
    *,
    shape: TableShape | None,
    columns: Sequence[str | None] = (),
    most: int = MOST,
) -> str:
    """The result of an import: one sentence, or the first `most` bad rows and how many there are.

    `failing` are the failed rows in their order; `shape` is the table's, where it is still there;
    `columns` are the fields of the file's columns. Where good rows were imported in spite of the
    bad ones, the last line says so.
    """
    done = counts.created + counts.updated + counts.unchanged + counts.removed
    if not counts.failed:
        return IMPORTED.format(count=done)
    shown = [
        f"    {entry.first_row}: {_reason_of(entry, shape, columns)}"
        for entry in islice(failing, most)
    ]
    lines = [ERRORS, *shown]
    if len(shown) < counts.failed:
        lines.append(f"    … and {counts.failed - len(shown):,} more: {counts.failed:,} in all")
    if done:
        lines.append(IMPORTED.format(count=done))
    return "\n".join(lines)


def _reason_of(entry: Entry, shape: TableShape | None, columns: Sequence[str | None]) -> str:
    """Why a row failed, in one text."""
    cells = entry.effective(width=len(columns)) or ()
    values = dict(zip(columns, cells, strict=False))
    return "; ".join(
        _in_original(field, text, shape, values)
        for field, texts in entry.errors.items()
        for text in texts
    )


def _in_original(
    field: str, text: str, shape: TableShape | None, values: Mapping[str | None, str]
) -> str:
    if not field:
        return WIDTH if all(part in text for part in _RAGGED) else text
    if text.startswith(_OWN):
        return text
    if text == REQUIRED and shape is not None:
        return empty_text(shape, field)
    if text.startswith(_NO_VALUE) and shape is not None and field in values:
        return adapt_text(shape, field, values[field]) or f"{field}: {text}"
    return f"{field}: {text}"
