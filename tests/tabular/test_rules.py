"""Rules of columns as they are kept, and what makes no sense in them."""

import pytest

from portal.errors import InvalidError
from portal.tabular.fields import Field, FieldType
from portal.tabular.number_formats import NumberFormat
from portal.tabular.rules import (
    Case,
    Others,
    Rules,
    faults_of_rules,
    rules_as_json,
    rules_from_json,
)

ALL = Rules(
    trim=False,
    case=Case.UPPER,
    date="DD.MM.YYYY",
    number=NumberFormat(decimal=",", thousands="."),
    values={"n/a": ""},
    others=Others.REFUSE,
)


@pytest.mark.parametrize("rules", [Rules(), ALL, Rules(case=Case.TITLE), Rules(date="M/D/YY")])
def test_rules_come_back_from_json_as_they_were(rules: Rules) -> None:
    assert Rules.from_json(rules.as_json()) == rules


def test_rules_that_change_nothing_are_not_kept() -> None:
    kept = rules_as_json({"a": Rules(), "b": Rules(case=Case.LOWER)})
    assert kept == {"b": {"case": "lower"}}
    assert rules_from_json(kept) == {"b": Rules(case=Case.LOWER)}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([], "Rules are given by the names of fields"),
        ({"a": []}, "a: Rules of a column are an object"),
        ({"a": {"kase": 1, "x": 2}}, "a: There is no rule kase, x; there are trim, case"),
        ({"a": {"case": "wild"}}, "a: 'case' is one of upper, lower, title"),
        ({"a": {"case": 1}}, "a: 'case' is a text"),
        ({"a": {"trim": "yes"}}, "a: 'trim' is true or false"),
        ({"a": {"date": "soon"}}, "a: 'soon' is no picture of a date"),
        ({"a": {"number": {"decimal": ";"}}}, "a: Numbers have a point or a comma"),
        ({"a": {"number": {"decimal": ","}, "values": {"x": 1}}}, "gives a text for each text"),
        ({"a": {"number": 5}}, "a: 'number' has 'decimal' and 'thousands'"),
        ({"a": {"others": None}}, "a: 'others' is a text"),
    ],
)
def test_what_are_no_rules_is_refused_in_words(said: object, words: str) -> None:
    with pytest.raises(InvalidError) as caught:
        rules_from_json(said)
    assert words in str(caught.value)


def test_rules_must_fit_their_fields() -> None:
    fields = [Field(name="day", type=FieldType.DATE), Field(name="sum", type=FieldType.DECIMAL)]
    rules = {
        "day": Rules(number=NumberFormat(decimal=",")),
        "sum": Rules(date="DD.MM.YYYY", others=Others.REFUSE),
        "gone": Rules(),
    }
    assert faults_of_rules(rules, fields) == [
        "'day' is no number: it cannot have a number format.",
        "'sum' would take no value at all: the mapping names none.",
        "'sum' is no date: it cannot have a date format.",
        "There is no field 'gone' to have rules.",
    ]


def test_a_point_between_thousands_does_not_go_with_the_numbers_of_a_spreadsheet() -> None:
    fields = [Field(name="sum", type=FieldType.DECIMAL)]
    rules = {"sum": Rules(number=NumberFormat(decimal=",", thousands="."))}
    assert faults_of_rules(rules, fields) == []
    (fault,) = faults_of_rules(rules, fields, kind="xlsx")
    assert "a decimal point" in fault
