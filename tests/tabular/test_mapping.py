"""Proposals for columns."""

import time

import pytest

from portal.tabular.fields import Field
from portal.tabular.mapping import Proposal, fingerprint, propose

FIELDS = (
    Field(name="student_id"),
    Field(name="firstname"),
    Field(name="lastname", synonyms=("Matter of family",)),
    Field(name="email"),
    Field(name="place_of_birth", title="Größe"),
    Field(name="date_1"),
    Field(name="reg_number"),
)


def proposed(header: str) -> Proposal:
    return propose([header], FIELDS)[0]


@pytest.mark.parametrize(
    ("header", "field", "score", "why"),
    [
        ("email", "email", 1.0, "the field's name"),
        (" email ", "email", 1.0, "the field's name"),
        ("Student ID", "student_id", 0.97, "the field's name, spelled otherwise"),
        ("STUDENT-ID", "student_id", 0.97, "the field's name, spelled otherwise"),
        ("Ëmáil", "email", 0.97, "the field's name, spelled otherwise"),
        ("GROSSE", "place_of_birth", 0.95, "the field's title"),
        ("matter_of_family", "lastname", 0.9, "another name of the field"),
        ("Surname", "lastname", 0.8, "usually means the same"),
        ("E-Mail Address", "email", 0.8, "usually means the same"),
        ("Fristname", "firstname", 0.67, "looks like firstname"),
    ],
)
def test_a_column_finds_its_field(header: str, field: str, score: float, why: str) -> None:
    assert proposed(header) == Proposal(field=field, score=score, why=why)


@pytest.mark.parametrize(
    "header", ["", "colour", "matric_number", "date_2", "名前", "#", "x" * 5000]
)
def test_a_column_that_fits_nothing_gets_nothing(header: str) -> None:
    assert proposed(header) == Proposal(field=None, score=0.0, why="no field is called like this")


@pytest.mark.parametrize("header", ["--ERRORS--", "--email", " --IGNORE--"])
def test_columns_with_two_strokes_are_left_out(header: str) -> None:
    assert proposed(header).field is None
    assert proposed(header).why == "columns beginning with -- are left out"


def test_the_better_column_gets_the_field_wherever_it_stands() -> None:
    fields = [proposal.field for proposal in propose(["E-Mail", "email", "EMail"], FIELDS)]
    assert fields == [None, "email", None]


def test_of_equal_columns_the_first_gets_the_field() -> None:
    fields = [proposal.field for proposal in propose(["E-Mail", "e mail"], FIELDS)]
    assert fields == ["email", None]


def test_a_column_that_lost_its_field_may_have_another() -> None:
    fields = (Field(name="name"), Field(name="names"))
    found = [proposal.field for proposal in propose(["name", "Name"], fields)]
    assert found == ["name", "names"]


def test_there_is_one_proposal_for_each_column() -> None:
    assert propose([], FIELDS) == []
    assert len(propose(["a", "a", "", "--"], ())) == 4


@pytest.mark.parametrize("name", ["column_with_a_long_name_number_{:05}", "{:b}", "é{:040}" * 20])
def test_a_header_of_1024_columns_takes_seconds_at_most(name: str) -> None:
    fields = [Field(name=name.format(*[number] * 20)) for number in range(1024)]
    header = [name.format(*[number] * 20).upper() for number in range(512, 1536)]
    began = time.process_time()
    propose(header, fields)
    assert time.process_time() - began < 10


def test_a_fingerprint_is_the_same_for_the_same_names() -> None:
    assert fingerprint(["Student ID", "E-Mail"]) == fingerprint([" student_id", "EMAIL"])


def test_a_file_of_failed_rows_has_the_fingerprint_of_its_source() -> None:
    assert fingerprint(["a", "b", "--ERRORS--"]) == fingerprint(["a", "b"])


@pytest.mark.parametrize("other", [["b", "a"], ["a"], ["a", "b", "c"], ["ab"], ["a", "#"]])
def test_another_header_has_another_fingerprint(other: list[str]) -> None:
    assert fingerprint(other) != fingerprint(["a", "b"])
