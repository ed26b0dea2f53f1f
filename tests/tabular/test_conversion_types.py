"""Each type of field: which texts are values, and what a clerk reads where one is not."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from portal.tabular.conversion import Conversion, RowErrors
from portal.tabular.fields import Choice, Field, FieldType, Value

COLOURS = (Choice(value="r", label="Red"), Choice(value="g", label="Green"), Choice(value="R2"))
TWO_ALIKE = (Choice(value="ab"), Choice(value="AB"), Choice(value="c", label="ab"))
MANY = tuple(Choice(value=str(number)) for number in range(20))


def value_of(text: str, kind: FieldType, **limits: object) -> Value:
    """The value by itself, which it must also have among others."""
    field = Field(name="f", type=kind, **limits)
    conversion = Conversion([field], ["f"], creating=False)
    among = conversion.convert_many([[text]] * 3)
    value = conversion.convert([text])["f"]
    assert among == [{"f": value}] * 3
    return value


def errors_of(text: str, kind: FieldType, **limits: object) -> list[str]:
    """The errors of the text by itself, which it must also have among others."""
    conversion = Conversion([Field(name="f", type=kind, **limits)], ["f"], creating=False)
    with pytest.raises(RowErrors) as caught:
        conversion.convert([text])
    among = conversion.convert_many([[text]] * 3)
    assert [refused.errors for refused in among] == [caught.value.errors] * 3
    return caught.value.errors["f"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42),
        (" 42 ", 42),
        ("-7", -7),
        ("+7", 7),
        ("007", 7),
        ("0", 0),
        ("12345678901234567890123456789", 12345678901234567890123456789),
        ("9" * 4000, int("9" * 4000)),
    ],
)
def test_an_integer_is_digits_with_or_without_a_sign(text: str, value: int) -> None:
    assert value_of(text, FieldType.INTEGER) == value


@pytest.mark.parametrize(
    "text", ["x", "1.0", "1,000", "1 000", "1_000", "1e3", "0x1F", "--1", "+", "٤٢", "²", "−5"]
)
def test_anything_else_is_invalid_integer_data(text: str) -> None:
    assert errors_of(text, FieldType.INTEGER) == [
        "Invalid integer data: write a whole number such as 42"
    ]


def test_an_integer_of_more_than_4000_digits_is_refused() -> None:
    assert errors_of("9" * 4001, FieldType.INTEGER) == [
        "Invalid value: a number may have 4000 digits at most"
    ]


@pytest.mark.parametrize("kind", [FieldType.INTEGER, FieldType.DECIMAL])
@pytest.mark.parametrize(
    ("limits", "low", "high", "words"),
    [
        ({"minimum": 1, "maximum": 9}, "0", "10", "from 1 to 9"),
        ({"minimum": 1}, "0", "-5", "1 or more"),
        ({"maximum": 9}, "10", "11", "9 or less"),
    ],
)
def test_a_number_out_of_its_range_is_told_the_range(kind, limits, low, high, words) -> None:
    for text in (low, high):
        assert errors_of(text, kind, **limits) == [f"Invalid value: the number must be {words}"]


def test_the_ends_of_a_range_belong_to_it() -> None:
    assert value_of("1", FieldType.INTEGER, minimum=1, maximum=9) == 1
    assert value_of("9", FieldType.INTEGER, minimum=1, maximum=9) == 9


@pytest.mark.parametrize(
    "text", ["12.50", "-0.1", ".5", "5.", "+3", "0.1000000000000000000000000001"]
)
def test_a_decimal_is_exact(text: str) -> None:
    value = value_of(text, FieldType.DECIMAL)
    assert isinstance(value, Decimal)
    assert value == Decimal(text)


def test_a_decimal_keeps_its_places() -> None:
    assert str(value_of("12.50", FieldType.DECIMAL)) == "12.50"


@pytest.mark.parametrize(
    "text", ["x", "12,50", "1,234.5", "1e5", "NaN", "Infinity", ".", "1.2.3", "1_0", "٣.٥", "€5"]
)
def test_anything_else_is_invalid_decimal_data(text: str) -> None:
    assert errors_of(text, FieldType.DECIMAL) == [
        "Invalid decimal data: write a number such as 12.50, with a point and no other signs"
    ]


@pytest.mark.parametrize(
    ("text", "limits", "words"),
    [
        ("1.505", {"scale": 2}, "at most 2 digits after the point"),
        ("12345.6", {"digits": 6, "scale": 2}, "at most 4 digits before the point"),
        ("12345", {"digits": 4}, "at most 4 digits in all"),
        ("12.345", {"digits": 4}, "at most 4 digits in all"),
        ("1.5", {"digits": 2, "scale": 2}, "at most 0 digits before the point"),
        ("99", {"digits": 2, "scale": 2}, "at most 0 digits before the point"),
        ("0.123", {"digits": 2, "scale": 4}, "at most 2 digits in all"),
    ],
)
def test_a_decimal_with_too_many_digits_is_told_where(text: str, limits, words: str) -> None:
    assert errors_of(text, FieldType.DECIMAL, **limits) == [f"Invalid value: {words}"]


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("1.500", {"scale": 2}),
        ("0001234.56", {"digits": 6, "scale": 2}),
        ("12.34", {"digits": 4}),
        ("0.99", {"digits": 2, "scale": 2}),
        ("0.0012", {"digits": 2, "scale": 4}),
        ("-99.9", {"digits": 3, "scale": 1}),
    ],
)
def test_zeros_at_the_ends_do_not_count_as_digits(text: str, limits) -> None:
    assert value_of(text, FieldType.DECIMAL, **limits) == Decimal(text)


@pytest.mark.parametrize("text", ["1", "true", "TRUE", "tRuE", "on", "On", "yes", "YES"])
def test_yes_has_four_words_in_any_case(text: str) -> None:
    assert value_of(text, FieldType.BOOLEAN) is True


@pytest.mark.parametrize("text", ["0", "false", "FALSE", "fAlSe", "off", "Off", "no", "NO"])
def test_no_has_four_words_in_any_case(text: str) -> None:
    assert value_of(text, FieldType.BOOLEAN) is False


@pytest.mark.parametrize("text", ["2", "y", "ja", "truthy", "x"])
def test_other_words_are_neither_yes_nor_no(text: str) -> None:
    assert errors_of(text, FieldType.BOOLEAN) == [
        "Invalid value: write 1 or 0, true or false, yes or no, on or off"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-31",
        "2025-12-31#",
        "2025-12-31 #",
        "20251231",
        "2025/12/31",
        "2025.12.31",
        "31.12.2025",
        "2025-12-31 00:00:00",
        "2025-12-31T00:00",
    ],
)
def test_a_day_has_forms_that_mean_one_day_only(text: str) -> None:
    value = value_of(text, FieldType.DATE)
    assert value == date(2025, 12, 31)
    assert not isinstance(value, datetime)


def test_a_day_needs_no_zeros_in_front() -> None:
    assert value_of("2025-1-5", FieldType.DATE) == date(2025, 1, 5)
    assert value_of("5.1.2025", FieldType.DATE) == date(2025, 1, 5)


@pytest.mark.parametrize(
    "text",
    ["01/02/2025", "31/12/2025", "2025-02-30", "2025-13-01", "31.12.25", "2025-12/31", "x", "#"]
    + ["0000-00-00", "2025-W01-1", "45000", "Dec 31, 2025", "٢٠٢٥-١٢-٣١", "2025-12-31##"],
)
def test_any_other_day_is_invalid_datetime_data(text: str) -> None:
    assert errors_of(text, FieldType.DATE) == [
        "Invalid datetime data: write an existing day as year-month-day, such as 2025-12-31"
    ]


@pytest.mark.parametrize("text", ["2025-12-31 12:00", "2025-12-31T00:00:00Z"])
def test_a_day_with_a_time_that_would_be_lost_is_refused(text: str) -> None:
    assert errors_of(text, FieldType.DATE) == [
        "Invalid datetime data: write the day alone, such as 2025-12-31, without a time"
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2025-12-31 23:59:01", datetime(2025, 12, 31, 23, 59, 1)),
        ("2025-12-31T23:59:01", datetime(2025, 12, 31, 23, 59, 1)),
        ("2025-12-31T23:59:01#", datetime(2025, 12, 31, 23, 59, 1)),
        ("2025-12-31 23:59", datetime(2025, 12, 31, 23, 59)),
        ("2025-12-31", datetime(2025, 12, 31)),
        ("31.12.2025 23:59", datetime(2025, 12, 31, 23, 59)),
        ("2025-12-31 23:59:01.5", datetime(2025, 12, 31, 23, 59, 1, 500_000)),
        ("20251231T235901Z", datetime(2025, 12, 31, 23, 59, 1, tzinfo=UTC)),
        (
            "2025-12-31 23:59:01+02:00",
            datetime(2025, 12, 31, 23, 59, 1, tzinfo=timezone(timedelta(hours=2))),
        ),
    ],
)
def test_a_moment_is_a_day_and_a_time_as_written(text: str, value: datetime) -> None:
    found = value_of(text, FieldType.DATETIME)
    assert (found, found.tzinfo) == (value, value.tzinfo)


@pytest.mark.parametrize(
    "text",
    ["x", "23:59", "2025-12-31 25:00", "2025-12-31 12:60", "2025-02-30 12:00", "2025-12-31 noon"]
    + ["01/02/2025 12:00", "2025-12-31 12:00:00.1234567", "2025-12-31 12:00+99:00", "#"],
)
def test_any_other_moment_is_invalid_datetime_data(text: str) -> None:
    assert errors_of(text, FieldType.DATETIME) == [
        "Invalid datetime data: write day and time such as 2025-12-31 23:59:00"
    ]


@pytest.mark.parametrize(
    ("text", "value"), [("r", "r"), ("R", "r"), ("red", "r"), ("GREEN", "g"), ("r2", "R2")]
)
def test_a_choice_is_named_by_value_or_label_in_any_case(text: str, value: str) -> None:
    assert value_of(text, FieldType.CHOICE, choices=COLOURS) == value


def test_a_choice_that_could_be_two_must_be_exact() -> None:
    assert value_of("AB", FieldType.CHOICE, choices=TWO_ALIKE) == "AB"
    assert errors_of("Ab", FieldType.CHOICE, choices=TWO_ALIKE) == [
        "Invalid value: write one of 'ab', 'AB', 'c'"
    ]


def test_many_choices_are_not_all_told() -> None:
    [message] = errors_of("x", FieldType.CHOICE, choices=MANY)
    assert message.endswith("'10', '11' or one of 8 others")


def test_a_choice_without_choices_is_never_right() -> None:
    assert errors_of("x", FieldType.CHOICE) == ["Invalid value: this column has no allowed values"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", ("a",)),
        ("a; b ;c", ("a", "b", "c")),
        ("a;;b;", ("a", "b")),
        ('["a", "b"]', ("a", "b")),
        ("['a', 'b']", ("a", "b")),
        ("[u'a', 'b', ]", ("a", "b")),
        ("""['it\\'s', "say \\"x\\""]""", ("it's", 'say "x"')),
        ('["a;b", " c "]', ("a;b", " c ")),
        ('["\\u00e9\\n\\ud83d\\ude00\\\\"]', ("é\n😀\\",)),
        ("['\\xe9\\U0001f600']", ("é😀",)),
        ("['\\d']", ("\\d",)),
        ('["007"]', ("007",)),
    ],
)
def test_a_list_is_parted_by_semicolons_or_a_literal(text: str, value: tuple[str, ...]) -> None:
    assert value_of(text, FieldType.LIST) == value


@pytest.mark.parametrize(
    "text",
    ["[1, 2]", "[a, b]", "['a'", "['a'] + ['b']", "[['a']]", "[" * 100_000, "['a' 'b']", ";"]
    + ["[__import__('os').getcwd()]", "['\\U00110000']", "[None]", "['a',,]", "[,]", "[ ]"],
)
def test_nothing_else_is_a_list_and_nothing_is_evaluated(text: str) -> None:
    assert errors_of(text, FieldType.LIST) == [
        "Invalid value: write a list as a; b; c or as ['a', 'b', 'c']"
    ]


def test_a_list_has_at_most_1000_entries() -> None:
    assert len(value_of("a;" * 1000, FieldType.LIST)) == 1000
    assert errors_of("a;" * 1001, FieldType.LIST) == [
        "Invalid value: a list may have 1000 entries at most"
    ]


def test_entries_of_a_list_obey_length_and_choices() -> None:
    assert errors_of("ab; abc", FieldType.LIST, max_length=2) == [
        "Invalid input: at most 2 characters, this has 3"
    ]
    assert value_of("RED; g", FieldType.LIST, choices=COLOURS) == ("r", "g")
    assert errors_of("red; blue", FieldType.LIST, choices=COLOURS) == [
        "Invalid value: write one of 'r', 'g', 'R2'"
    ]


@pytest.mark.parametrize("text", ["name@example.org", "a.b+c@localhost", "ü@example.org"])
def test_an_e_mail_address_has_one_at(text: str) -> None:
    assert value_of(text, FieldType.EMAIL) == text


@pytest.mark.parametrize("text", ["name", "a@b@c", "@b", "a@", "a b@c", "a@b,c@d", "A <a@b>"])
def test_anything_else_is_no_e_mail_address(text: str) -> None:
    assert errors_of(text, FieldType.EMAIL) == [
        "Invalid value: write an e-mail address such as name@example.org"
    ]


def test_an_e_mail_address_has_at_most_254_characters() -> None:
    assert errors_of("a" * 250 + "@b.cd", FieldType.EMAIL) == [
        "Invalid input: at most 254 characters, this has 255"
    ]


@pytest.mark.parametrize("text", ["+234-803-123456", "49-351-12-34-56", "+1-555-5550100"])
def test_a_phone_number_is_country_area_number(text: str) -> None:
    assert value_of(text, FieldType.PHONE) == text


@pytest.mark.parametrize(
    "text", ["123456", "+234 803 123456", "234-803", "a-b-c", "1-2-3-", "1--2"]
)
def test_anything_else_is_no_phone_number(text: str) -> None:
    assert errors_of(text, FieldType.PHONE) == [
        "Invalid value: write the phone number as country-area-number, such as +234-803-123456"
    ]


@pytest.mark.parametrize("text", ["007", "0001", "two\nlines", "naïve 😀", "=1+1", "<b>", "None"])
def test_text_stays_as_written(text: str) -> None:
    assert value_of(text, FieldType.TEXT) == text


def test_space_around_a_text_is_no_part_of_it() -> None:
    assert value_of(" \t a b \n", FieldType.TEXT) == "a b"


def test_a_text_that_is_too_long_is_told_both_lengths() -> None:
    assert value_of("äöü", FieldType.TEXT, max_length=3) == "äöü"
    assert errors_of("äöüß", FieldType.TEXT, max_length=3) == [
        "Invalid input: at most 3 characters, this has 4"
    ]


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_what_no_database_can_store_is_invalid_input(text: str) -> None:
    assert errors_of(text, FieldType.TEXT) == [
        "Invalid input: a character in here cannot be stored; type the text anew"
    ]


@pytest.mark.parametrize("text", ["a\nb", "a\x1bb", "a\u2028b"])
def test_a_reference_is_one_line(text: str) -> None:
    assert errors_of(text, FieldType.REFERENCE) == ["Invalid input: write it in one line"]


def test_a_reference_stays_as_written() -> None:
    assert value_of("008/15", FieldType.REFERENCE) == "008/15"
