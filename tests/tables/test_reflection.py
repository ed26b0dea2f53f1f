"""What the database's tables look like to Portal, and what may be written into their columns."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from portal.db import open_engine
from portal.migrations.run import upgrade
from portal.rows.schema import make_tables_ledger
from portal.runtime import Runtime
from portal.tables.catalog import Catalog, catalog_of
from portal.tables.expressions import choices_in, literal
from portal.tables.fields import fields_of
from portal.tables.reflection import WrongDatabaseError, reflect
from portal.tables.shapes import Made, TableShape
from portal.tables.sqlite_catalog import checks_in
from portal.tabular.fields import Field, FieldType
from portal.tabular.help_rows import describe
from tests.tables.conftest import OFFICES, RECORDS, Execute

TYPES = """CREATE TABLE typed (
    a smallint NOT NULL, b integer NOT NULL DEFAULT 7, c bigint, d numeric(6, 2), e varchar(5),
    f text, g date, h timestamp, i boolean, j double precision, k varchar(3) DEFAULT 'it''s',
    PRIMARY KEY (a))"""


@pytest.fixture
def shape(runtime: Runtime) -> Callable[[str], TableShape]:
    return lambda name: catalog_of(runtime).get(name)


@pytest.fixture
def field(runtime: Runtime) -> Callable[[str, str], Field]:
    """`field(table, column)`."""

    def find(table: str, column: str) -> Field:
        tables = catalog_of(runtime).tables()
        return next(one for one in fields_of(tables[table], tables) if one.name == column)

    return find


ShapeOf = Callable[[str], TableShape]
FieldOf = Callable[[str, str], Field]


def test_keys_uniques_and_references_are_known(execute: Execute, shape: ShapeOf) -> None:
    execute(OFFICES, RECORDS)
    record = shape("record")
    assert record.primary_key == ("id",)
    assert [unique.columns for unique in record.uniques] == [("number",)]
    (key,) = record.foreign_keys
    assert (key.columns, key.table, key.targets) == (("office_id",), "office", ("id",))


def test_who_fills_a_column_is_known(execute: Execute, shape: ShapeOf) -> None:
    execute(
        "CREATE TABLE t (id NUMBERED, a integer DEFAULT 3, b integer,"
        " c integer GENERATED ALWAYS AS (b + 1) STORED)"
    )
    made = {column.name: column.made for column in shape("t").columns}
    assert made == {
        "id": Made.BY_COUNTER,
        "a": Made.BY_DEFAULT,
        "b": Made.BY_NOBODY,
        "c": Made.BY_FORMULA,
    }


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("a", FieldType.INTEGER),
        ("b", FieldType.INTEGER),
        ("c", FieldType.INTEGER),
        ("d", FieldType.DECIMAL),
        ("e", FieldType.TEXT),
        ("f", FieldType.TEXT),
        ("g", FieldType.DATE),
        ("h", FieldType.DATETIME),
        ("i", FieldType.BOOLEAN),
        ("j", FieldType.DECIMAL),
    ],
)
def test_types_become_types_of_fields(
    execute: Execute, field: FieldOf, column: str, kind: FieldType
) -> None:
    execute(TYPES)
    assert field("typed", column).type is kind


def test_limits_and_defaults_of_columns_are_those_of_fields(
    execute: Execute, field: FieldOf
) -> None:
    execute(TYPES)
    assert field("typed", "e").max_length == 5
    assert (field("typed", "d").digits, field("typed", "d").scale) == (6, 2)
    assert field("typed", "a").required
    assert not field("typed", "b").required
    assert field("typed", "b").default == 7
    assert field("typed", "k").default == "it's"


def test_whole_numbers_are_bounded_as_the_database_bounds_them(
    execute: Execute, field: FieldOf, runtime: Runtime
) -> None:
    execute(TYPES)
    small = 2**15 if runtime.tables.dialect.name == "postgresql" else 2**63
    assert (field("typed", "a").minimum, field("typed", "a").maximum) == (-small, small - 1)


def test_a_list_in_a_check_becomes_choices(execute: Execute, field: FieldOf) -> None:
    execute(OFFICES, RECORDS)
    assert field("record", "state").type is FieldType.CHOICE
    assert [choice.value for choice in field("record", "state").choices] == ["open", "closed"]


def test_a_reference_is_given_by_the_word_that_people_know(
    execute: Execute, field: FieldOf
) -> None:
    execute(OFFICES, RECORDS)
    assert field("record", "office_id").type is FieldType.REFERENCE
    assert field("record", "office_id").help == "code of a row of office"


def test_a_key_that_people_give_is_its_own_word(execute: Execute, field: FieldOf) -> None:
    execute(
        "CREATE TABLE country (code varchar(2) PRIMARY KEY, name varchar(40) NOT NULL UNIQUE)",
        "CREATE TABLE town (name varchar(40) PRIMARY KEY, land varchar(2) REFERENCES country)",
    )
    assert field("town", "land").help == "code of a row of country"


def test_a_unique_column_that_may_be_empty_is_no_key(execute: Execute, shape: ShapeOf) -> None:
    execute("CREATE TABLE t (a integer UNIQUE, b integer NOT NULL)")
    assert shape("t").key == ()
    execute("CREATE UNIQUE INDEX by_b ON t (b)")
    assert shape("t").key == ("b",)


def test_unique_indexes_over_some_rows_or_expressions_are_no_keys(
    execute: Execute, shape: ShapeOf
) -> None:
    execute(
        "CREATE TABLE t (a integer NOT NULL, b varchar(9) NOT NULL)",
        "CREATE UNIQUE INDEX part ON t (a) WHERE a > 5",
        "CREATE UNIQUE INDEX folded ON t (lower(b))",
    )
    assert shape("t").uniques == ()


def test_portals_own_tables_are_not_seen(execute: Execute, runtime: Runtime) -> None:
    execute("CREATE TABLE seen (a integer PRIMARY KEY)", "CREATE TABLE _portal_x (a integer)")
    make_tables_ledger(runtime.tables)
    catalog_of(runtime).refresh()
    assert list(catalog_of(runtime).tables()) == ["seen"]


def test_the_database_of_a_portal_is_refused(runtime: Runtime, database: str) -> None:
    engine = open_engine(database)
    upgrade(engine)
    with engine.connect() as connection, pytest.raises(WrongDatabaseError, match="of a portal"):
        reflect(connection)
    engine.dispose()


def test_a_change_of_a_table_is_seen_within_a_second(runtime: Runtime, execute: Execute) -> None:
    now = [0.0]
    catalog = Catalog(runtime.tables, clock=lambda: now[0])
    execute("CREATE TABLE t (a integer PRIMARY KEY)")
    assert [column.name for column in catalog.get("t").columns] == ["a"]
    execute("ALTER TABLE t ADD COLUMN b integer")
    assert [column.name for column in catalog.get("t").columns] == ["a"]
    now[0] = 1.0
    assert [column.name for column in catalog.get("t").columns] == ["a", "b"]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("'a''b'", "a'b"),
        ("'x'::character varying", "x"),
        ("'x'::\"my type\"", "x"),
        ("(7)", "7"),
        ("-1.50::numeric(6,2)", None),
        ("-1.50", "-1.50"),
        ("true", "true"),
        ("now()", None),
        ("'a' || 'b'", None),
        ("CURRENT_TIMESTAMP", None),
        (None, None),
    ],
)
def test_a_default_is_known_where_it_is_a_literal(said: str | None, value: str | None) -> None:
    assert literal(said) == value


@pytest.mark.parametrize(
    ("check", "found"),
    [
        ("a in ('x','y')", ("a", ("x", "y"))),
        ("\"my a\" IN ( 'x' , 'it''s' )", ("my a", ("x", "it's"))),
        (
            "((a)::text = ANY ((ARRAY['x'::varchar, 'y, z'::varchar])::text[]))",
            ("a", ("x", "y, z")),
        ),
        ("a = ANY (ARRAY['x'::text, 'y'::text])", ("a", ("x", "y"))),
        ("a in ('x', b)", None),
        ("a in (1, 2)", None),
        ("a > 5", None),
        ("a in ('x') or b in ('y')", None),
        ("lower(a) in ('x')", None),
        ("a not in ('x')", None),
    ],
)
def test_choices_are_found_in_plain_lists_only(
    check: str, found: tuple[str, tuple[str, ...]] | None
) -> None:
    assert choices_in(check) == found


def test_checks_are_found_in_the_text_of_a_table() -> None:
    sql = """CREATE TABLE "t (check" (a text CHECK (a <> ')check(') -- check (no)
        , b int, CONSTRAINT "it's" CHECK ((b > 0) AND b < 9), c text DEFAULT 'check (x)')"""
    assert [(check.name, check.sql) for check in checks_in(sql)] == [
        ("", "a <> ')check('"),
        ("it's", "(b > 0) AND b < 9"),
    ]


def test_a_decimal_of_sqlite_has_as_many_digits_as_come_back_unchanged(
    execute: Execute, field: FieldOf, runtime: Runtime
) -> None:
    execute("CREATE TABLE t (a integer PRIMARY KEY, b numeric(30, 2) DEFAULT 1.25)")
    exact = runtime.tables.dialect.name == "postgresql"
    assert field("t", "b").digits == (30 if exact else 15)
    assert field("t", "b").default == Decimal("1.25")


def test_a_column_is_described_by_what_the_database_asks_of_it(
    execute: Execute, field: FieldOf
) -> None:
    execute(OFFICES, RECORDS)
    names = ("id", "number", "office_id", "copies", "received")
    assert [describe(field("record", name)) for name in names] == [
        "Primary Key; Required (Has Default); Integer",
        "Required; Unique; At most 20 characters",
        "An Identifier from the office table",
        "Has Default Value; Integer",
        "Date (YYYY-MM-DD)",
    ]
