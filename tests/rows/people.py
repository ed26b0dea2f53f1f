"""A table of people as records: one by one, and many at a time."""

from datetime import date

from sqlalchemy import (
    Column,
    Connection,
    Date,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from portal.rows.processors import (
    Mode,
    Processor,
    Processors,
    Record,
    RefusedRowError,
    Store,
)
from portal.tabular.fields import Field, FieldType

METADATA = MetaData()
PERSON = Table(
    "test_person",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("code", String(20), unique=True, nullable=False),
    Column("name", String(50), nullable=False),
    Column("age", Integer),
    Column("born", Date),
    Column("city", String(50), server_default="Rome"),
)
NAMES = ("code", "name", "age", "born", "city")
FIELDS = (
    Field(name="code", required=True),
    Field(name="name", required=True),
    Field(name="age", type=FieldType.INTEGER),
    Field(name="born", type=FieldType.DATE),
    Field(name="city", default="Rome"),
)


class People:
    """One by one. Nobody may be called Nobody, and Locked people are left alone."""

    def find(self, session, values, *, acting):
        row = session.execute(select(PERSON).where(PERSON.c.code == values["code"])).one_or_none()
        return None if row is None else record_of(row)

    def create(self, session, values, *, acting):
        row = session.execute(insert(PERSON).values(**values).returning(PERSON)).one()
        refuse(row.name)
        return record_of(row)

    def update(self, session, record, values, *, acting):
        chosen = PERSON.c.id == int(record.key)
        changed = update(PERSON).where(chosen).values(**values).returning(PERSON)
        row = session.execute(changed).one()
        refuse(row.name)
        return record_of(row)

    def remove(self, session, record, *, acting):
        session.execute(delete(PERSON).where(PERSON.c.id == int(record.key)))
        if record.values["name"] == "Locked":
            raise RefusedRowError("This person is locked.")


class ManyPeople(People):
    """Many at a time, and what a file must not do is refused by the database."""

    def find_many(self, session, rows, *, acting):
        asked = [values["code"] for values in rows]
        found = {}
        for start in range(0, len(asked), 500):
            part = select(PERSON).where(PERSON.c.code.in_(asked[start : start + 500]))
            found |= {row.code: record_of(row) for row in session.execute(part)}
        return [found.get(code) for code in asked]

    def create_many(self, session, rows, *, acting):
        columns = {name for values in rows for name in values}
        whole = [{name: values.get(name) for name in columns} for values in rows]
        for values in whole:
            refuse(values["name"])
            if columns >= {"city"} and values["city"] is None:
                values["city"] = "Rome"
        session.execute(insert(PERSON), whole)
        return self.find_many(session, rows, acting=acting)

    def update_many(self, session, pairs, *, acting):
        return [self.update(session, record, values, acting=acting) for record, values in pairs]

    def remove_many(self, session, records, *, acting):
        for record in records:
            self.remove(session, record, acting=acting)


class CheckingPeople(People):
    """What would be refused is known before."""

    def check(self, session, mode, record, values, *, acting):
        refuse(values.get("name", ""))
        if mode is Mode.REMOVE and record.values["name"] == "Locked":
            raise RefusedRowError("This person is locked.")


def processor(name="people", records=None, **values):
    defaults = {
        "title": "People",
        "help": "",
        "fields": FIELDS,
        "identities": (("code",),),
        "modes": tuple(Mode),
        "records": records or People(),
    }
    return Processor(name=name, **(defaults | values))


PROCESSORS = Processors(
    (
        processor(),
        processor("checked", CheckingPeople()),
        processor("many", ManyPeople()),
        processor("unique", ManyPeople(), unique=True),
        processor("table", ManyPeople(), unique=True, store=Store.TABLES),
    )
)
ONE_BY_ONE = "people"
ALL = ("people", "many", "table")


def record_of(row):
    return Record(key=str(row.id), values={name: getattr(row, name) for name in NAMES})


def refuse(name):
    if name == "Nobody":
        raise RefusedRowError("Nobody may be called so.", field="name")


def make_table(connection: Connection) -> None:
    METADATA.create_all(connection)


def person(number, **values):
    """The values of a row, as text."""
    defaults = {
        "code": f"c{number}",
        "name": f"Name {number}",
        "age": str(20 + number % 50),
        "born": date(1970 + number % 40, 1, 1).isoformat(),
        "city": "Paris",
    }
    return defaults | values
