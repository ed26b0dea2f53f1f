"""A table made out of a file: what is proposed, what is made, and what becomes of the rows."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from portal.accounts.permissions import Role
from portal.audit.models import AuditEntry
from portal.errors import ForbiddenError
from portal.imports.creating import orders
from portal.imports.creating.drafts import Draft, check, propose
from portal.imports.creating.surveys import Surveyed
from portal.imports.files import StoredFile
from portal.imports.orders import Asked, ImportOrder
from portal.jobs.models import Job, JobState
from portal.tables.actions import OF_OUR_OWN
from portal.tables.catalog import catalog_of
from portal.tables.creating import create_table, taken_names
from portal.tables.grants import granted_for
from portal.tables.new_tables import ColumnKind, NewTable
from tests.imports.scenes import Desk, failed, succeeded

OFFICES = (
    "Code,Name,PLZ,Größe m²,Fee,Open,Since,Seen,Order,Note\n"
    "N1,North,01067,120,12.50,yes,2025-01-31,2025-01-31 10:00:00,1,\n"
    "S1,South,80331,90,3.125,no,2024-02-29,2025-02-01 11:30:00,1,x\n"
)


def survey(desk: Desk, stored: StoredFile, **reading: str) -> Job:
    with desk.runtime.sessions.begin() as session:
        asked = orders.ask_to_survey(session, stored=stored, reading=reading, wish=desk.wish())
    return desk.perform(asked)


def draft_of(desk: Desk, job: Job, *, name: str = "offices.csv") -> Draft:
    found = Surveyed.from_json(job.result)
    dialect = desk.runtime.tables.dialect.name
    return propose(found.survey, file_name=name, taken=taken_names(desk.runtime), dialect=dialect)


def ask(
    desk: Desk, stored: StoredFile, table: NewTable, *columns: str | None, **more: Any
) -> Asked:
    order = ImportOrder.of(stored, table=table.name, columns=columns, **more)
    with desk.runtime.sessions.begin() as session:
        return orders.ask_to_create(session, table=table, order=order, wish=desk.wish())


def create(desk: Desk, text: str, *, name: str = "offices.csv") -> Job:
    """Make the table that is proposed, as it is."""
    stored = desk.store(name, text)
    draft = draft_of(desk, survey(desk, stored), name=name)
    return desk.perform(ask(desk, stored, draft.table, *draft.mapping))


def test_columns_and_types_are_proposed_from_all_rows(desk: Desk) -> None:
    job = survey(desk, desk.store("offices.csv", OFFICES))
    table = draft_of(desk, job).table
    assert table.name == "offices"
    assert [(column.name, column.said, column.required) for column in table.columns] == [
        ("code", "text", True),
        ("name", "text", True),
        ("plz", "text", True),
        ("groesse_m2", "integer", True),
        ("fee", "decimal(15,3)", True),
        ("open", "boolean", True),
        ("since", "date", True),
        ("seen", "datetime", True),
        ("order_", "integer", True),
        ("note", "text", False),
    ]
    assert table.key == ("code",)


def test_the_last_row_of_a_long_file_counts(desk: Desk) -> None:
    rows = "".join(f"{n},{n}\n" for n in range(5000))
    job = survey(desk, desk.store("long.csv", f"number,size\n{rows}5000,n/a\n0,\n"))
    number, size = draft_of(desk, job).table.columns
    assert (number.kind, number.key) == (ColumnKind.INTEGER, False)
    assert (size.kind, size.required) == (ColumnKind.TEXT, False)


def test_the_table_is_made_and_filled_at_once(desk: Desk) -> None:
    job = create(desk, OFFICES)
    assert succeeded(job) == "The table 'offices' was created.\nSuccessfully imported 2 row(s)"
    shape = catalog_of(desk.runtime).get("offices")
    assert shape.primary_key == ("code",)
    assert [column.nullable for column in shape.columns] == [False] * 9 + [True]
    rows = desk.rows("SELECT code, plz, groesse_m2, note FROM offices ORDER BY code")
    assert rows == [("N1", "01067", 120, None), ("S1", "80331", 90, "x")]


def test_rows_without_a_key_of_their_own_are_numbered(desk: Desk) -> None:
    assert succeeded(create(desk, "name,size\na,1\na,1\n"))
    assert desk.rows("SELECT id, name FROM offices ORDER BY id") == [(1, "a"), (2, "a")]


def test_who_imports_may_do_all_with_a_table_that_was_made(desk: Desk) -> None:
    create(desk, OFFICES)
    settings = desk.runtime.settings
    with desk.runtime.reads() as session:
        assert granted_for(session, settings=settings, table="offices") == OF_OUR_OWN
        told = set(session.scalars(select(AuditEntry.action)))
    assert told >= {"imports.create", "table.create", "table.grant"}


def test_the_table_stays_where_its_file_is_refused(desk: Desk) -> None:
    stored = desk.store("offices.csv", "code,size\na,1\na,1\n")
    draft = draft_of(desk, survey(desk, stored))
    code, size = draft.table.columns
    keyed = NewTable(name="offices", columns=(replace_key(code), size))
    text = failed(desk.perform(ask(desk, stored, keyed, "code", "size")))
    first, second, *_ = text.split("\n")
    assert first == "The table 'offices' was created and stays, but nothing was imported into it."
    assert second == "Errors occurred while importing the records"
    assert desk.rows("SELECT * FROM offices") == []


def test_an_import_that_made_its_table_can_be_undone(desk: Desk) -> None:
    succeeded(desk.undo(create(desk, OFFICES)))
    assert desk.rows("SELECT * FROM offices") == []


def test_a_name_that_was_taken_meanwhile_is_refused(desk: Desk) -> None:
    stored = desk.store("offices.csv", OFFICES)
    draft = draft_of(desk, survey(desk, stored))
    asked = ask(desk, stored, draft.table, *draft.mapping)
    desk.execute("CREATE TABLE offices (id integer)")
    assert "'offices' already" in failed(desk.perform(asked))


def test_a_job_that_was_cut_short_finds_the_table_that_it_made(desk: Desk) -> None:
    stored = desk.store("offices.csv", OFFICES)
    draft = draft_of(desk, survey(desk, stored))
    asked = ask(desk, stored, draft.table, *draft.mapping)
    create_table(desk.runtime, draft.table)
    refused = desk.perform(asked)
    assert refused.state == JobState.FAILED
    assert succeeded(desk.retry(refused)).endswith("Successfully imported 2 row(s)")


def test_a_table_with_rows_is_never_taken_for_one_that_was_just_made(desk: Desk) -> None:
    stored = desk.store("offices.csv", "id,name\n1,a\n")
    draft = draft_of(desk, survey(desk, stored))
    asked = ask(desk, stored, draft.table, *draft.mapping)
    create_table(desk.runtime, draft.table)
    desk.execute("INSERT INTO offices (id, name) VALUES (7, 'other')")
    assert "already" in failed(desk.retry(desk.perform(asked)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("trunk", "already"),
        ("select", "own language"),
        ("Offices", "small letters"),
        ("sqlite_x", "database's own"),
        ("pg_x", "database's own"),
        ("a" * 64, "63"),
        ("", "Give it a name"),
        ('x"; DROP TABLE trunk; --', "small letters"),
    ],
)
def test_names_that_no_table_can_have_are_refused_in_words(
    desk: Desk, name: str, said: str
) -> None:
    draft = Draft(name=name, parts=draft_of(desk, survey(desk, desk.store("a.csv", OFFICES))).parts)
    dialect = desk.runtime.tables.dialect.name
    faults = check(draft, taken=taken_names(desk.runtime), dialect=dialect, kind="csv")
    assert any(said in text for text in faults.table)


def test_only_who_grants_tables_makes_them(desk: Desk) -> None:
    stored = desk.store("offices.csv", OFFICES)
    clerk = desk.person("clara", Role.IMPORT_MANAGER)
    with pytest.raises(ForbiddenError):
        survey(clerk, stored)
    with pytest.raises(ForbiddenError):
        ask(clerk, stored, NewTable(name="offices", columns=()))


def test_a_survey_of_rows_that_cannot_be_read_says_where(desk: Desk) -> None:
    job = survey(desk, desk.store("a.csv", "a,b\n1,2\n" * 3 + '"open,2\n'))
    assert job.state == JobState.FAILED
    assert job.reason.startswith("Line 7")


def test_exact_numbers_that_the_database_cannot_keep_stay_text(desk: Desk) -> None:
    job = survey(desk, desk.store("a.csv", "n\n12345678901234.56\n1.5\n"))
    (column,) = draft_of(desk, job).table.columns
    sqlite = desk.runtime.tables.dialect.name == "sqlite"
    assert column.said == ("text" if sqlite else "decimal(16,2)")


def replace_key(column: Any) -> Any:
    return column.__class__(name=column.name, kind=column.kind, required=True, key=True)


def test_numbers_with_a_comma_are_found_and_imported(desk: Desk) -> None:
    text = "code;fee;size\nN1;1.234,50;1.000\nS1;-0,125;2\nW1;;7\n"
    stored = desk.store("fees.csv", text)
    draft = draft_of(desk, survey(desk, stored), name="fees.csv")
    _, fee, size = draft.table.columns
    assert (fee.said, size.said) == ("decimal(15,3)", "decimal(15,3)")
    more = {"treatment": draft.treatment}
    assert succeeded(desk.perform(ask(desk, stored, draft.table, *draft.mapping, **more)))
    rows = [(Decimal("1234.50"),), (Decimal("-0.125"),), (None,)]
    assert desk.rows("SELECT fee FROM fees ORDER BY code") == rows


def test_a_column_that_is_made_text_keeps_its_commas(desk: Desk) -> None:
    stored = desk.store("fees.csv", "code;fee\nN1;1.234,50\n")
    draft = draft_of(desk, survey(desk, stored), name="fees.csv")
    code, fee = draft.parts
    text = replace(fee, column=replace(fee.column, kind=ColumnKind.TEXT, digits=0, scale=0))
    draft = replace(draft, parts=(code, text))
    more = {"treatment": draft.treatment}
    assert succeeded(desk.perform(ask(desk, stored, draft.table, *draft.mapping, **more)))
    assert desk.rows("SELECT fee FROM fees") == [("1.234,50",)]
