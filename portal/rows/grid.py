"""Failing rows as a grid: cells with what is wrong with each, checked again while one types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from sqlalchemy.orm import Session

from portal.rows import editing
from portal.rows.batch import Batch, Entry
from portal.rows.books import Books
from portal.rows.mapped import conversion_of
from portal.rows.processors import Acting, Processor, Suggesting
from portal.rows.source import is_full, open_source
from portal.tabular.conversion import Conversion, RowErrors
from portal.tabular.fields import Choice, Field, FieldType
from portal.tabular.turns import turn
from portal.visible import visible

ROWS_SHOWN = 50
SHORT = 80


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell of a failing row: its text as edited, whether it was, and what is wrong with it.

    `kept_out` is what one typed that was not put over what another had typed meanwhile.
    """

    number: int
    text: str
    edited: bool
    errors: tuple[str, ...]
    field: Field | None
    kept_out: str | None = None

    @property
    def said(self) -> str:
        """What is to be said below it besides its errors."""
        return "" if self.kept_out is None else changed_meanwhile(self)

    @property
    def mark(self) -> str:
        """What tells later whether the cell is still so."""
        return editing.mark_of(self.text)

    @property
    def refers(self) -> bool:
        """Whether it names another record."""
        return self.field is not None and self.field.type is FieldType.REFERENCE


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """A failing row. `whole` is what is wrong with it as a whole.

    `ready`: it was edited, and nothing is wrong any more with what the file alone can tell.
    """

    number: int
    line: int | None
    cells: tuple[Cell, ...]
    whole: tuple[str, ...]
    edited: bool
    ready: bool


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The failing rows of a batch, some at a time."""

    batch: Batch
    processor: Processor
    header: tuple[str, ...]

    @cached_property
    def fields(self) -> tuple[Field | None, ...]:
        """The field of each column, None where it is left out."""
        known = {field.name: field for field in self.processor.fields}
        return tuple(known.get(name or "") for name in self.batch.order.columns)

    @cached_property
    def conversion(self) -> Conversion:
        """How cells become values, as the batch does it."""
        return conversion_of(self.batch.order, self.processor)

    def row(self, entry: Entry, kept_out: Mapping[int, str] = MappingProxyType({})) -> GridRow:
        """A failing row as it is shown, with what was `kept_out` of its cells."""
        texts = entry.effective(width=self.batch.width) or []
        errors = self._errors(entry, texts)
        cells = tuple(
            Cell(
                number=number,
                text=text,
                edited=str(number) in entry.edited,
                errors=tuple(errors.get(field.name, ())) if field else (),
                field=field,
                kept_out=kept_out.get(number),
            )
            for number, (text, field) in enumerate(self._padded(texts))
        )
        shown = {field.name for field in self.fields if field}
        rest = [text for name, found in errors.items() if name not in shown for text in found]
        if beyond := (entry.cells or [])[self.batch.width :] if entry.edited else []:
            rest.append(f"Left out, as the header has no column for it: {' | '.join(beyond)}")
        return GridRow(
            number=entry.first_row,
            line=entry.line,
            cells=cells,
            whole=tuple(rest),
            edited=bool(entry.edited),
            ready=bool(entry.edited) and not errors,
        )

    def _errors(self, entry: Entry, texts: Sequence[str]) -> dict[str, list[str]]:
        """What is wrong now: with an edited row what can be told at once, else what was told."""
        if not entry.edited:
            return {name: list(found) for name, found in entry.errors.items()}
        if not is_full(texts):
            return {"": ["The row is empty; skip it instead."]}
        (converted,) = self.conversion.convert_many([list(texts)])
        if isinstance(converted, RowErrors):
            return {name: list(found) for name, found in converted.errors.items()}
        return {}

    def _padded(self, texts: Sequence[str]) -> list[tuple[str, Field | None]]:
        """The cells with their fields; a row that is too short or too long is shown as it is."""
        fields = [*self.fields, *(None for _ in texts[len(self.fields) :])]
        missing = ("" for _ in fields[len(texts) :])
        return list(zip([*texts, *missing], fields, strict=True))


def changed_meanwhile(cell: Cell) -> str:
    """Why what was typed into a cell was not kept, and what to do."""
    now, typed = visible(cell.text), visible(cell.kept_out or "")
    return (
        f"Somebody changed this to “{_short(now)}” meanwhile. Yours, “{_short(typed)}”, was not "
        "kept; type it again to put it in its place."
    )


def _short(text: str) -> str:
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"


def open_grid(batch: Batch, processor: Processor) -> Grid:
    """The grid of a batch; raises TableError where its stored file cannot be read any more."""
    with turn(batch.order.format.kind), open_source(batch.order) as table:
        return Grid(batch=batch, processor=processor, header=tuple(table.header))


def candidates_of(
    session: Session,
    processor: Processor,
    batch: Batch,
    *,
    number: int,
    text: str,
    acting: Acting,
) -> Sequence[Choice]:
    """What the reference in column `number` could mean; nothing where nobody knows."""
    columns = batch.order.columns
    name = columns[number] if 0 <= number < len(columns) else None
    if name is None or not isinstance(processor.records, Suggesting):
        return ()
    return processor.records.suggest(session, name, text, acting=acting)


def rows_after(books: Books, grid: Grid, after: int) -> tuple[list[GridRow], int | None]:
    """The next failing rows behind row `after`, and the row to ask behind for more."""
    with books.read() as session:
        page = editing.failing(
            session, tables=books.tables, batch=grid.batch, after=after, limit=ROWS_SHOWN
        )
    return [grid.row(entry) for entry in page.entries], page.following
