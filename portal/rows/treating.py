"""What a form asks for cells: read, told where it is wrong, and tried on some cells. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portal.errors import InvalidError
from portal.rows.mapped import (
    Mapped,
    Names,
    conversion_of_column,
    fault_of_constant,
    identity_of,
)
from portal.rows.processors import Mode, Processor
from portal.rows.rule_texts import NOTHING, Read, RuleTexts, read, texts_of
from portal.rows.treatment import PLAIN, Treatment
from portal.tabular.canonical import text_of
from portal.tabular.conversion import Conversion, RowErrors
from portal.tabular.fields import Field, Value
from portal.tabular.rules import Rules, faults_of_rules

WHOLE = ""
LEFT_ALONE, CLEARED = "(left alone)", "(cleared)"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked for: rules by the number of the column, values for all rows by field, the key.

    The key is one of the processor's identities, empty for the first that the file gives, and
    counts for nothing where records are made.
    """

    rules: Mapping[int, RuleTexts] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    key: Names = ()


@dataclass(frozen=True, kw_only=True)
class Constant:
    """A field that no column gives, the text for it in all rows, and what is wrong with that."""

    field: Field
    text: str
    fault: str


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A cell of the file, and what it becomes: a text, or why it is no value."""

    text: str
    becomes: str
    fault: str

    @property
    def changes(self) -> bool:
        """Whether it becomes something else than stands there; blanks around it do not show."""
        return bool(self.fault) or self.becomes.strip() != self.text.strip()


@dataclass(frozen=True, kw_only=True)
class Treated:
    """What was asked for as it can be done; `faults` says for each column what cannot, by part."""

    treatment: Treatment = PLAIN
    faults: Sequence[Mapping[str, str]] = ()
    constants: tuple[Constant, ...] = ()


def asked_of(treatment: Treatment, columns: Sequence[str | None]) -> Asked:
    """What asks for `treatment`, where `columns` are for these fields."""
    rules = {
        number: texts_of(treatment.rules.get(name, Rules()), treatment.empty.get(name))
        for number, name in enumerate(columns)
        if name is not None
    }
    return Asked(rules=rules, constants=treatment.constants, key=treatment.identity)


def treat(
    processor: Processor,
    mode: Mode,
    columns: Sequence[Field | None],
    asked: Asked,
    *,
    kind: str = "csv",
) -> Treated:
    """What is asked for the `columns` of a file of this kind."""
    found = [read(asked.rules.get(number, NOTHING)) for number in range(len(columns))]
    named = [(one.name, its) for one, its in zip(columns, found, strict=True) if one]
    open_fields = _open_fields(processor, mode, columns)
    texts = {one.name: asked.constants.get(one.name, "") for one in open_fields}
    treatment = Treatment(
        rules={name: its.rules for name, its in named if not its.rules.changes_nothing},
        constants={name: text for name, text in texts.items() if text},
        empty={name: its.empty for name, its in named if its.empty is not None},
        identity=_key(processor, mode, asked),
    )
    order = Mapped(mode=mode, columns=_names(columns), treatment=treatment)
    constants = tuple(
        Constant(
            field=one,
            text=texts[one.name],
            fault=_fault_of(order, processor, one, texts[one.name]),
        )
        for one in open_fields
    )
    faults = [_faults(one, its, kind) for one, its in zip(columns, found, strict=True)]
    return Treated(treatment=treatment, faults=faults, constants=constants)


def try_out(
    processor: Processor, order: Mapped, cells: Sequence[Sequence[str]]
) -> tuple[tuple[Sample, ...], ...]:
    """What the `cells` of each column become; of columns that are left out, nothing."""
    try:
        identity = identity_of(processor, order) or ()
    except InvalidError:
        identity = ()
    return tuple(
        _samples(processor, order, name, texts, identity)
        for name, texts in zip(order.columns, cells, strict=True)
    )


def _samples(
    processor: Processor,
    order: Mapped,
    name: str | None,
    texts: Sequence[str],
    identity: Names,
) -> tuple[Sample, ...]:
    if name is None:
        return ()
    conversion = conversion_of_column(order, processor, name, identity=identity)
    return tuple(_sample(conversion, name, text) for text in texts)


def _sample(conversion: Conversion, name: str, text: str) -> Sample:
    (values,) = conversion.convert_many([[text]])
    if isinstance(values, RowErrors):
        return Sample(text=text, becomes="", fault=" / ".join(values.errors[name]))
    return Sample(
        text=text, becomes=_told(values[name]) if name in values else LEFT_ALONE, fault=""
    )


def _told(value: Value) -> str:
    """The value for people: a list as it may be typed, not as the file of a backup has it."""
    if isinstance(value, tuple) and value and not any(";" in one for one in value):
        return ";".join(value)
    return text_of(value, missing=CLEARED)


def _key(processor: Processor, mode: Mode, asked: Asked) -> Names:
    """What records are found by; new ones are not looked for."""
    return asked.key if mode is not Mode.CREATE and asked.key in processor.identities else ()


def _open_fields(processor: Processor, mode: Mode, columns: Sequence[Field | None]) -> list[Field]:
    """The fields that no column gives; to remove a record, only those that name it."""
    given = set(_names(columns))
    naming = {name for identity in processor.identities for name in identity}
    return [
        one
        for one in processor.fields
        if one.name not in given and (mode is not Mode.REMOVE or one.name in naming)
    ]


def _names(columns: Sequence[Field | None]) -> tuple[str | None, ...]:
    return tuple(one.name if one else None for one in columns)


def _fault_of(order: Mapped, processor: Processor, one: Field, text: str) -> str:
    return fault_of_constant(order, processor, one.name, text) if text else ""


def _faults(one: Field | None, found: Read, kind: str) -> dict[str, str]:
    """What is wrong with the rules of a column; those of one that is left out do no harm."""
    if one is None:
        return {}
    whole = faults_of_rules({one.name: found.rules}, [one], kind=kind)
    return dict(found.faults) | ({WHOLE: " ".join(whole)} if whole else {})
