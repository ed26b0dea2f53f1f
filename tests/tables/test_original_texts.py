"""The words that the import tools before Portal had, from facts and in whole results."""

from dataclasses import replace

import pytest
from sqlalchemy import types

from portal.rows.batch import Counts, Entry, Outcome
from portal.tables.original_texts import empty_text, link_text, place_of, refusal_text
from portal.tables.result_text import result_text
from portal.tables.shapes import ColumnShape, ForeignKey, TableShape, Unique
from portal.tabular.markers import REQUIRED

SAID = 'duplicate key value violates unique constraint "trunk_pk"'


def column(name: str) -> ColumnShape:
    return ColumnShape(name=name, type=types.String(), declared="text", cast="text", nullable=False)


TRUNK = TableShape(
    name="trunk",
    columns=(column("code"), column("full_title")),
    primary_key=("code",),
    uniques=(Unique(name="trunk_full_title_uk", columns=("full_title",)),),
)
BRANCH = TableShape(
    name="branch",
    columns=(column("trunk_id"), column("code")),
    primary_key=("trunk_id", "code"),
    foreign_keys=(ForeignKey(name="", columns=("trunk_id",), table="trunk", targets=("id",)),),
)


def entry(row: int, **errors: str) -> Entry:
    return Entry(
        first_row=row,
        last_row=row,
        line=row + 1,
        outcome=Outcome.FAILED,
        attempt=1,
        cells=[],
        edited={},
        errors={name.strip("_"): [text] for name, text in errors.items()},
        record_key="",
        before=None,
        after=None,
        after_hash=None,
        skip_reason="",
    )


def test_a_single_column_is_named_after_its_table() -> None:
    assert place_of(TRUNK, ("code",)) == "Trunk . Code"
    assert place_of(TRUNK, ("full_title",)) == "Trunk . Full Title"


def test_a_composite_key_stands_in_brackets_and_links_are_called_by_their_name() -> None:
    assert place_of(BRANCH, ("trunk_id", "code")) == "Branch . (Trunk, Code)"


@pytest.mark.parametrize(
    ("code", "columns", "text"),
    [
        ("23505", ("code",), "Got a duplicate identity: Trunk . Code, Which triggered an error"),
        ("23505", ("full_title",), "Got a duplicate field value: Trunk . Full Title, Which"),
        ("23502", ("full_title",), "Got a blank field value: Trunk . Full Title, Which triggered"),
        ("23505", (), "Got an error from the database driver: duplicate key"),
        ("23514", ("code",), "Got an error from the database driver: duplicate key"),
    ],
)
def test_each_refusal_of_the_database_has_its_words(
    code: str, columns: tuple[str, ...], text: str
) -> None:
    told = refusal_text(TRUNK, code=code, columns=columns, said=SAID)
    assert told.startswith(text)
    assert told.endswith(f"from the database driver: {SAID}")


def test_what_the_database_was_not_asked_has_no_words_of_its_own() -> None:
    assert empty_text(TRUNK, "code") == "Got a blank field value: Trunk . Code"


def test_a_link_to_nothing_is_told_by_table_and_word() -> None:
    assert link_text("trunk", "3") == "Unable to resolve a link: trunk[3]"


def test_a_good_import_tells_how_many_rows() -> None:
    counts = Counts(created=1, updated=1, unchanged=1, total=4, blank=1)
    assert result_text(counts, (), shape=TRUNK) == "Successfully imported 3 row(s)"


def test_bad_rows_are_listed_with_the_drivers_lines_unindented() -> None:
    said = f"{SAID}\nDETAIL:  Key (code)=(1) already exists."
    text = refusal_text(TRUNK, code="23505", columns=("code",), said=said)
    told = result_text(Counts(failed=1, total=2), [entry(2, code=text)], shape=TRUNK)
    assert told == (
        "Errors occurred while importing the records\n"
        "    2: Got a duplicate identity: Trunk . Code, Which triggered an error from the database "
        'driver: duplicate key value violates unique constraint "trunk_pk"\n'
        "DETAIL:  Key (code)=(1) already exists."
    )


def test_what_is_wrong_with_cells_is_told_in_the_same_words() -> None:
    failing = [
        entry(1, _="Row has 2 cells, the header has 3."),
        entry(2, code=REQUIRED),
        entry(3, code="'x' is no whole number."),
    ]
    assert result_text(Counts(failed=3), failing, shape=TRUNK).splitlines()[1:] == [
        "    1: Incorrect number of columns",
        "    2: Got a blank field value: Trunk . Code",
        "    3: code: 'x' is no whole number.",
    ]


def test_a_long_list_is_cut_and_says_the_true_total() -> None:
    failing = (entry(row, code="bad") for row in range(1, 2001))
    lines = result_text(Counts(failed=2000), failing, shape=None, most=2).splitlines()
    assert lines[1:] == [
        "    1: code: bad",
        "    2: code: bad",
        "    … and 1,998 more: 2,000 in all",
    ]


def test_good_rows_that_were_imported_all_the_same_are_told_last() -> None:
    told = result_text(Counts(created=7, failed=1), [entry(8, code="bad")], shape=None)
    assert told.splitlines()[-1] == "Successfully imported 7 row(s)"


GROVE = TableShape(
    name="grove",
    columns=tuple(
        ColumnShape(name=name, type=of_type, declared="", cast="", nullable=True)
        for name, of_type in {
            "size": types.Integer(),
            "wet": types.Boolean(),
            "price": types.Numeric(8, 2),
            "weight": types.Float(),
            "planted": types.Date(),
            "seen": types.DateTime(),
            "kind": types.Enum("oak", "elm"),
            "name": types.String(4),
        }.items()
    ),
)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("size", "Failed to adapt value of size to integer: 'x'"),
        ("wet", "Failed to adapt value of wet to boolean: 'x'"),
        ("price", "Failed to adapt value of price to decimal: 'x'"),
        ("weight", "Failed to adapt value of weight to float: 'x'"),
        ("planted", "Failed to adapt value of planted to date: 'x'"),
        ("seen", "Failed to adapt value of seen to datetime: 'x'"),
        ("kind", "Failed to adapt value of kind to enum('oak', 'elm'): 'x'"),
        ("name", "name: Invalid input: at most 4 characters, this has 5"),
    ],
)
def test_a_cell_that_is_no_value_of_its_type_is_told_as_the_original_does(
    column: str, text: str
) -> None:
    said = "Invalid input: at most 4 characters, this has 5"
    bad = replace(entry(1, **{column: said}), cells=["a", "x"])
    told = result_text(Counts(failed=1), [bad], shape=GROVE, columns=("other", column))
    assert told.splitlines()[1] == f"    1: {text}"


def test_what_a_cell_was_edited_to_is_what_could_not_be_adapted() -> None:
    bad = replace(entry(1, size="Invalid integer data: write 42"), cells=["x"], edited={"0": "y"})
    told = result_text(Counts(failed=1), [bad], shape=GROVE, columns=("size",))
    assert told.endswith("to integer: 'y'")
