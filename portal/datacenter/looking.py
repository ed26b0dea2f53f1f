"""A file as somebody looks at it before it is processed: how it is read, and what becomes of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from portal.datacenter.folders import DataCenterFile
from portal.datacenter.names import find_pending
from portal.errors import InvalidError
from portal.rows.processors import Mode, Processor
from portal.rows.undertaking import faults_of
from portal.tabular.fields import Field
from portal.tabular.formats import DELIMITER_NAMES, Finding, Format, find_format
from portal.tabular.mapping import Proposal, propose
from portal.tabular.reading import preview
from portal.tabular.spreadsheets import sheet_names
from portal.tabular.table import Preview, TableError
from portal.tabular.turns import turn

ROWS_SHOWN = 5
DELIMITERS = {name: sign for sign, name in DELIMITER_NAMES.items()}
QUOTES = {"double": '"', "single": "'", "none": ""}

Known = Callable[[Sequence[str], str, Mode], Sequence[str | None] | None]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody chose; what is empty is found. `columns` holds the chosen field by column."""

    processor: str = ""
    mode: str = ""
    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    sheet: str = ""
    columns: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the file: its header, some cells, the field it is for, and what was proposed."""

    number: int
    header: str
    samples: tuple[str, ...]
    field: Field | None
    proposal: Proposal


@dataclass(frozen=True, kw_only=True)
class Look:
    """What there is to see. Without a `processor` nothing is mapped yet."""

    file: DataCenterFile
    finding: Finding
    format: Format
    preview: Preview
    sheets: tuple[str, ...]
    processors: tuple[Processor, ...]
    processor: Processor | None
    mode: Mode | None
    columns: tuple[Column, ...]
    locked_mode: bool
    from_profile: bool

    @property
    def delimiter(self) -> str:
        """The delimiter's name."""
        return DELIMITER_NAMES.get(self.format.delimiter, "")

    @property
    def quote(self) -> str:
        """The quote's name."""
        return next(name for name, sign in QUOTES.items() if sign == self.format.quote)

    @cached_property
    def mapping(self) -> tuple[str | None, ...]:
        """The field of each column, None where it is left out."""
        return tuple(column.field.name if column.field else None for column in self.columns)

    @cached_property
    def faults(self) -> tuple[str, ...]:
        """What must be put right before the file can be processed; empty if nothing."""
        if self.preview.fault is not None:
            return (str(self.preview.fault),)
        if self.processor is None or self.mode is None:
            return ("Choose what the rows are.",)
        return tuple(faults_of(self.processor, self.mode, self.mapping))


def look(
    file: DataCenterFile,
    *,
    wish: Wish,
    processors: Sequence[Processor],
    known: Known = lambda _header, _processor, _mode: None,
) -> Look:
    """Look at `file`; only its beginning is read. `known` is what was once saved for such files.

    Raises InvalidError where the file is none of rows, or a choice is none.
    """
    finding = find_format(file.path, name=file.name)
    fmt = chosen_format(finding.format, wish)
    with turn(fmt.kind):
        shown, sheets = preview(file.path, fmt, rows=ROWS_SHOWN), _sheets(file, fmt)
    pending = find_pending(file.name)
    processor = next((p for p in processors if p.name == wish.processor), None)
    mode = _mode(processor, pending.mode if pending else wish.mode)
    saved = _saved(shown, processor, mode, known)
    return Look(
        file=file,
        finding=finding,
        format=fmt,
        preview=shown,
        sheets=sheets,
        processors=tuple(processors),
        processor=processor,
        mode=mode,
        columns=_columns(shown, processor, wish, saved),
        locked_mode=pending is not None,
        from_profile=saved is not None and not wish.columns,
    )


def chosen_format(found: Format, wish: Wish) -> Format:
    """The format that was found, with what somebody chose instead."""
    values: dict[str, str | bool] = {}
    if wish.encoding and wish.encoding != found.encoding:
        values |= {"encoding": wish.encoding, "bom": False}
    if wish.delimiter:
        values["delimiter"] = _of(DELIMITERS, wish.delimiter, "delimiter")
    if wish.quote:
        values["quote"] = _of(QUOTES, wish.quote, "quote")
    if wish.sheet:
        values["sheet"] = wish.sheet
    return replace(found, **values)  # type: ignore[arg-type]


def _of(known: Mapping[str, str], chosen: str, what: str) -> str:
    if chosen not in known:
        raise InvalidError(f"{chosen!r} is no {what} that Portal knows.")
    return known[chosen]


def _mode(processor: Processor | None, wanted: str) -> Mode | None:
    """The wanted mode; where none is wanted, the first that the processor has."""
    if processor is None:
        return None
    named = [mode for mode in processor.modes if mode == wanted]
    return named[0] if named else processor.modes[0]


def _sheets(file: DataCenterFile, fmt: Format) -> tuple[str, ...]:
    if fmt.kind == "csv":
        return ()
    try:
        return tuple(sheet_names(file.path, fmt.kind))
    except TableError:
        return ()  # the preview says what is wrong


def _saved(
    shown: Preview, processor: Processor | None, mode: Mode | None, known: Known
) -> Sequence[str | None] | None:
    if processor is None or mode is None:
        return None
    columns = known(shown.header, processor.name, mode)
    return columns if columns is not None and len(columns) == len(shown.header) else None


def _columns(
    shown: Preview,
    processor: Processor | None,
    wish: Wish,
    saved: Sequence[str | None] | None,
) -> tuple[Column, ...]:
    fields = processor.fields if processor else ()
    named = {one.name: one for one in fields}
    proposals = propose(shown.header, fields)
    columns = []
    for number, (header, proposal) in enumerate(zip(shown.header, proposals, strict=True)):
        default = saved[number] if saved is not None else proposal.field
        chosen = wish.columns.get(number, default or "")
        columns.append(
            Column(
                number=number,
                header=header,
                samples=tuple(row[2][number] for row in shown.rows if number < len(row[2])),
                field=named.get(chosen),
                proposal=proposal,
            )
        )
    return tuple(columns)
