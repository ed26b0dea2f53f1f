"""A file as somebody looks at it before it is a batch: how it is read, and what becomes of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from portal.errors import InvalidError
from portal.rows.mapped import Mapped, Names, faults_of_order
from portal.rows.processors import Mode, Processor
from portal.rows.rule_texts import NOTHING, RuleTexts
from portal.rows.treating import Asked, Constant, Sample, Treated, asked_of, treat, try_out
from portal.rows.treatment import PLAIN, Treatment
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


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What is known of files with the same header; `words` say so to people."""

    columns: tuple[str | None, ...]
    treatment: Treatment
    words: str


Known = Callable[[Sequence[str], str, Mode], Remembered | None]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody chose; what is empty is found, or is as it was saved.

    `columns` holds the chosen field by column. `treatment` stands in the place of the saved one,
    and `asked` is what a form says instead of both.
    """

    processor: str = ""
    mode: str = ""
    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    sheet: str = ""
    columns: Mapping[int, str] = field(default_factory=dict)
    treatment: Treatment | None = None
    asked: Asked | None = None


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the file: its header, some cells, the field it is for, and what was proposed.

    `rules` are its rules as texts, `faults` what is wrong with them by part ("" for all of them);
    `outcomes` what its first cells become.
    """

    number: int
    header: str
    samples: tuple[str, ...]
    field: Field | None
    proposal: Proposal
    rules: RuleTexts
    faults: Mapping[str, str]
    outcomes: tuple[Sample, ...]


@dataclass(frozen=True, kw_only=True)
class Look:
    """What there is to see. Without a `processor` nothing is mapped yet.

    `constants` are the fields that no column gives. Of `keys`, the alternatives by which records
    are found, `treatment` has the one that was chosen. `remembered` is what is known of such files,
    where columns and treatment are as that says.
    """

    finding: Finding
    format: Format
    preview: Preview
    sheets: tuple[str, ...]
    processors: tuple[Processor, ...]
    processor: Processor | None
    mode: Mode | None
    locked_mode: bool
    columns: tuple[Column, ...]
    treatment: Treatment
    constants: tuple[Constant, ...]
    remembered: Remembered | None

    @property
    def delimiter(self) -> str:
        """The delimiter's name."""
        return DELIMITER_NAMES.get(self.format.delimiter, "")

    @property
    def quote(self) -> str:
        """The quote's name."""
        return next(name for name, sign in QUOTES.items() if sign == self.format.quote)

    @property
    def keys(self) -> tuple[Names, ...]:
        """The alternatives to choose from; none where there is but one, or nothing to be found."""
        if self.processor is None or self.mode is Mode.CREATE:
            return ()
        identities = self.processor.identities
        return identities if len(identities) > 1 else ()

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
        told = [
            f"{column.header}: {text}"
            for column in self.columns
            for part, text in column.faults.items()
            if part
        ]
        order = Mapped(mode=self.mode, columns=self.mapping, treatment=self.treatment)
        return (*told, *faults_of_order(self.processor, order, kind=self.format.kind))


def look(
    path: Path,
    *,
    name: str,
    wish: Wish,
    processors: Sequence[Processor],
    known: Known = lambda _header, _processor, _mode: None,
    mode: str = "",
) -> Look:
    """Look at the file at `path`, called `name`; only its beginning is read.

    `known` is what was once saved for such files. With `mode` there is no other to choose. Raises
    InvalidError where the file is none of rows, or a choice is none.
    """
    finding = find_format(path, name=name)
    fmt = chosen_format(finding.format, wish)
    with turn(fmt.kind):
        shown, sheets = preview(path, fmt, rows=ROWS_SHOWN), _sheets(path, fmt)
    processor = next((p for p in processors if p.name == wish.processor), None)
    wanted = _mode(processor, mode or wish.mode)
    saved = _saved(shown, processor, wanted, known)
    columns, treated = _mapped(shown, wish, saved, processor=processor, mode=wanted, kind=fmt.kind)
    return Look(
        finding=finding,
        format=fmt,
        preview=shown,
        sheets=sheets,
        processors=tuple(processors),
        processor=processor,
        mode=wanted,
        locked_mode=bool(mode),
        columns=columns,
        treatment=treated.treatment,
        constants=treated.constants,
        remembered=None if wish.columns or wish.asked else saved,
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


def _sheets(path: Path, fmt: Format) -> tuple[str, ...]:
    if fmt.kind == "csv":
        return ()
    try:
        return tuple(sheet_names(path, fmt.kind))
    except TableError:
        return ()  # the preview says what is wrong


def _saved(
    shown: Preview, processor: Processor | None, mode: Mode | None, known: Known
) -> Remembered | None:
    if processor is None or mode is None:
        return None
    saved = known(shown.header, processor.name, mode)
    return saved if saved is not None and len(saved.columns) == len(shown.header) else None


def _mapped(
    shown: Preview,
    wish: Wish,
    saved: Remembered | None,
    *,
    processor: Processor | None,
    mode: Mode | None,
    kind: str,
) -> tuple[tuple[Column, ...], Treated]:
    """The columns of the file, and how their cells are treated."""
    fields = processor.fields if processor else ()
    proposals = propose(shown.header, fields)
    chosen = _chosen(proposals, fields, wish, saved)
    asked = wish.asked or _as_saved(wish, saved, chosen)
    treated = Treated(faults=[{} for _ in chosen])
    cells = [_cells(shown, number) for number in range(len(chosen))]
    outcomes: Sequence[tuple[Sample, ...]] = [() for _ in chosen]
    if processor is not None and mode is not None:
        treated = treat(processor, mode, chosen, asked, kind=kind)
        names = tuple(one.name if one else None for one in chosen)
        order = Mapped(mode=mode, columns=names, treatment=treated.treatment)
        outcomes = try_out(processor, order, cells)
    columns = tuple(
        Column(
            number=number,
            header=header,
            samples=cells[number],
            field=chosen[number],
            proposal=proposals[number],
            rules=asked.rules.get(number, NOTHING),
            faults=treated.faults[number],
            outcomes=outcomes[number],
        )
        for number, header in enumerate(shown.header)
    )
    return columns, treated


def _chosen(
    proposals: Sequence[Proposal], fields: Sequence[Field], wish: Wish, saved: Remembered | None
) -> list[Field | None]:
    """The field of each column: as chosen, else as saved, else as proposed."""
    named = {one.name: one for one in fields}
    defaults = saved.columns if saved is not None else [one.field for one in proposals]
    names = [wish.columns.get(number, default) for number, default in enumerate(defaults)]
    return [named.get(name or "") for name in names]


def _as_saved(wish: Wish, saved: Remembered | None, chosen: Sequence[Field | None]) -> Asked:
    """What was asked for before, or by other means than a form."""
    if wish.treatment is not None or saved is None:
        return asked_of(wish.treatment or PLAIN, [one.name if one else None for one in chosen])
    return asked_of(saved.treatment, saved.columns)


def _cells(shown: Preview, number: int) -> tuple[str, ...]:
    return tuple(row[2][number] for row in shown.rows if number < len(row[2]))
