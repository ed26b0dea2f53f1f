"""Rules of a column as texts of a form: whatever rules there are come back from their texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rows.rule_texts import RuleTexts, read, said, texts_of
from portal.tabular.fields import Empty
from portal.tabular.number_formats import DECIMALS, THOUSANDS, NumberFormat
from portal.tabular.rules import Case, Others, Rules

NUMBERS = [
    NumberFormat(decimal=decimal, thousands=thousands)
    for decimal in DECIMALS
    for thousands in THOUSANDS
    if decimal != thousands
]
RULES = st.builds(
    Rules,
    trim=st.booleans(),
    case=st.none() | st.sampled_from(Case),
    date=st.sampled_from(["", "DD.MM.YYYY", "M/D/YY", "YYYY-MM-DD HH:mm"]),
    number=st.none() | st.sampled_from(NUMBERS),
    values=st.dictionaries(st.text(), st.text()),
    others=st.sampled_from(Others),
)


@given(rules=RULES, empty=st.none() | st.sampled_from(Empty))
def test_the_texts_of_rules_mean_these_rules(rules: Rules, empty: Empty | None) -> None:
    found = read(texts_of(rules, empty))
    assert (found.rules, found.empty, dict(found.faults)) == (rules, empty, {})


@given(text=st.text())
def test_whatever_is_typed_is_read_or_told(text: str) -> None:
    found = read(RuleTexts(case=text, date=text, number=text, values=text, others=text, empty=text))
    assert read(texts_of(found.rules, found.empty)).rules == found.rules


def test_values_are_named_one_a_line() -> None:
    found = read(RuleTexts(values='yes = 1\r\n\r\n  no=0\nn/a =\n"a = b" = c = d\n'))
    assert found.rules.values == {"yes": "1", "no": "0", "n/a": "", "a = b": "c = d"}


@pytest.mark.parametrize(
    ("part", "text", "fault"),
    [
        ("values", "yes = 1\nno", "Line 2: write “text = value”."),
        ("values", "yes = 1\nyes = 2", "Line 2: 'yes' stands above already."),
        ("values", '"open = 1', "Line 1: write “text = value”."),
        ("date", "DD.MM", "is no picture of a date"),
        ("number", "x", "Choose one of the formats."),
        ("empty", "x", "Choose one of keep, clear, default."),
    ],
)
def test_what_cannot_be_read_is_told_at_its_part(part: str, text: str, fault: str) -> None:
    found = read(RuleTexts(**{part: text}))
    assert fault in found.faults[part]
    assert found.rules == Rules()


def test_what_is_said_is_told_in_a_few_words() -> None:
    assert said(RuleTexts()) == ""
    texts = RuleTexts(case="upper", date=" DD.MM.YYYY", values="a = b\n", empty="clear")
    assert said(texts) == (
        "letters UPPER, dates DD.MM.YYYY, 1 value named, empty cells clear the value"
    )
