"""What holds for every input: texts of values are read again, and only RowErrors is raised."""

import random
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.tabular.canonical import text_of
from portal.tabular.conversion import Conversion, RowErrors
from portal.tabular.converters import converter_for
from portal.tabular.fields import Choice, Field, FieldType, Value
from portal.tabular.markers import CLEAR, EMPTY, IGNORE

MARKERS = {CLEAR, IGNORE, *EMPTY}
STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
TEXTS = st.text(STORABLE).map(str.strip).filter(lambda text: text not in MARKERS)
LINES = st.from_regex(r"[ -~]+", fullmatch=True).map(str.strip).filter(lambda t: t not in MARKERS)
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
DIGITS = st.integers(0, 9999999)
VALUES = {
    FieldType.TEXT: TEXTS,
    FieldType.INTEGER: st.integers(),
    FieldType.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False),
    FieldType.BOOLEAN: st.booleans(),
    FieldType.DATE: st.dates(),
    FieldType.DATETIME: st.datetimes(timezones=st.none() | OFFSETS),
    FieldType.CHOICE: st.sampled_from(["a", "b"]),
    FieldType.LIST: st.lists(st.text(STORABLE), min_size=1, max_size=20).map(tuple),
    FieldType.EMAIL: st.emails(),
    FieldType.PHONE: st.builds(lambda a, b, c: f"+{a % 999}-{b}-{c}", DIGITS, DIGITS, DIGITS),
    FieldType.REFERENCE: LINES,
}
CHOICES = (Choice(value="a", label="Ah"), Choice(value="b"))
PLAIN = tuple(
    Field(name=kind, type=kind, choices=CHOICES if kind is FieldType.CHOICE else ())
    for kind in FieldType
)
BOUND = tuple(
    Field(
        name=f"bound {kind}",
        type=kind,
        max_length=5,
        digits=5,
        scale=2,
        minimum=-50,
        maximum=500,
        choices=CHOICES if kind in (FieldType.CHOICE, FieldType.LIST) else (),
    )
    for kind in FieldType
)
FIELDS = PLAIN + BOUND
PIECES = (*MARKERS, "0", "7", "42", "-", "+", ".", ",", ":", "/", "#", " ", "\n", "\x00", "\ud800")
PIECES += ("2025", "12", "-01-31", "T", "Z", "10:30", "+02:00", "e5", "_", "٣", "ÿ", "😀", "NaN")
PIECES += ("true", "Yes", "a", "Ah", "B", "@", "x.org", "['", "']", '["', '"]', ";", "\\", "\\u00")


def conversion_of(*fields: Field) -> Conversion:
    return Conversion(fields, [field.name for field in fields], creating=False)


def answer(conversion: Conversion, cells: list[str]) -> object:
    try:
        return conversion.convert(cells)
    except RowErrors as refused:
        return refused.errors


def plain(result: object) -> object:
    return result.errors if isinstance(result, RowErrors) else result


@pytest.mark.parametrize("kind", list(FieldType))
@settings(deadline=None)
@given(data=st.data())
def test_the_text_of_a_value_is_read_as_the_same_value(kind: FieldType, data) -> None:
    value = data.draw(VALUES[kind])
    [field] = (field for field in PLAIN if field.type is kind)
    [found] = conversion_of(field).convert([text_of(value)]).values()
    assert found == value
    assert found.__class__ is value.__class__
    assert text_of(found) == text_of(value)


@settings(deadline=None)
@given(st.lists(st.lists(st.text(), min_size=len(FIELDS), max_size=len(FIELDS)), max_size=5))
def test_many_rows_are_read_as_each_row_alone(rows: list[list[str]]) -> None:
    conversion = conversion_of(*FIELDS)
    together = [plain(result) for result in conversion.convert_many(rows)]
    assert together == [answer(conversion, row) for row in rows]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_stands_in_the_cells_only_errors_of_the_row_are_raised(seed: int) -> None:
    source, conversion = random.Random(seed), conversion_of(*FIELDS)
    rows = [[make_cell(source)] * len(FIELDS) for _ in range(1000)]
    together = [plain(result) for result in conversion.convert_many(rows)]
    assert together == [answer(conversion, row) for row in rows]


@pytest.mark.parametrize("kind", list(FieldType))
@pytest.mark.parametrize("fields", [PLAIN, BOUND])
def test_texts_taken_together_have_the_values_they_have_alone(kind: FieldType, fields) -> None:
    source = random.Random(kind)
    [converter] = (converter_for(field) for field in fields if field.type is kind)
    texts = {make_cell(source).strip() for _ in range(20_000)} - MARKERS
    for text in texts | {text_of(make_value(kind, source)) for _ in range(2000)}:
        try:
            values = converter.many([text])
        except (ValueError, LookupError, ArithmeticError):
            continue
        assert list(values) == [converter.one(text)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "1"),
        (False, "0"),
        (-5, "-5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.10"), "0.10"),
        (date(2025, 1, 2), "2025-01-02"),
        (datetime(2025, 1, 2, 3, 4, 5), "2025-01-02 03:04:05"),
        (("a;b", "é"), '["a;b", "é"]'),
        ("007", "007"),
    ],
)
def test_a_value_has_one_text(value, text: str) -> None:
    assert text_of(value) == text


def test_a_value_that_is_missing_may_have_a_text_that_clears_it_again() -> None:
    assert text_of(None, missing=CLEAR) == "XXX"


def make_cell(source: random.Random) -> str:
    return "".join(source.choice(PIECES) for _ in range(source.randint(0, 6)))


def make_value(kind: FieldType, source: random.Random) -> Value:
    """Something usual of this kind, so that it is taken together with others."""
    number = source.randint(-(10**6), 10**6)
    moment = datetime(2000, 1, 1) + timedelta(seconds=number * 1000)
    return {
        FieldType.INTEGER: number,
        FieldType.DECIMAL: Decimal(number).scaleb(-source.randint(0, 6)),
        FieldType.BOOLEAN: number % 2 == 0,
        FieldType.DATE: moment.date(),
        FieldType.DATETIME: moment,
        FieldType.CHOICE: "ab"[number % 2],
        FieldType.EMAIL: f"a{number}@example.org",
        FieldType.PHONE: f"+49-351-{abs(number)}",
        FieldType.LIST: (f"a{number}", "b"),
    }.get(kind, f"a{number}")
