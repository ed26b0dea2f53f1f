"""A ledger of an older version is brought to this one's, with what stands in it."""

import pytest
from sqlalchemy import inspect, update
from sqlalchemy.exc import IntegrityError

from portal.rows.models import PORTAL_LEDGER
from portal.rows.schema import make_tables_ledger, tables_ledger
from portal.rows.treatment import Treatment
from portal.rows.upgrading import allow_states
from portal.tabular.fields import Empty
from tests.rows.batches import Batches
from tests.rows.people import person

OLD = ("waiting", "running", "done")


@pytest.fixture
def batches(runtime, tmp_path):
    return Batches(runtime, tmp_path, "table")


def age(engine):
    """Make the ledger what it was before batches had options."""
    table = tables_ledger(engine).batch
    check, place = f"ck_{table.name}_known_state", table.fullname
    with engine.begin() as connection:
        allow_states(connection, table=table.name, check=check, states=OLD, schema=table.schema)
        connection.exec_driver_sql(f"ALTER TABLE {place} DROP COLUMN options")


def test_an_older_ledger_of_tables_gets_options_and_the_new_state(runtime, batches):
    batch = batches.done([person(1), person(2, age="x")])
    age(runtime.tables)
    make_tables_ledger(runtime.tables)
    table = tables_ledger(runtime.tables).batch
    assert batches.batch(batch.id) == batch
    assert len(batches.entries(batch.id)) == 2
    batches.change(update(table).values(state="refused"))
    with pytest.raises(IntegrityError):
        batches.change(update(table).values(state="lost"))


def test_bringing_a_ledger_up_can_be_repeated(runtime, batches):
    age(runtime.tables)
    for _ in range(3):
        make_tables_ledger(runtime.tables)
    table = tables_ledger(runtime.tables).batch
    columns = inspect(runtime.tables).get_columns(table.name, schema=table.schema)
    assert [column["name"] for column in columns].count("options") == 1


def test_changing_the_portals_own_ledger_loses_no_row_of_it(runtime, tmp_path):
    portal = Batches(runtime, tmp_path)
    batch = portal.done([person(1), person(2, age="x")])
    before = portal.entries(batch.id)
    with runtime.engine.begin() as connection:
        allow_states(
            connection, table="row_batch", check="ck_row_batch_known_state", states=(*OLD, "new")
        )
    portal.change(update(PORTAL_LEDGER.batch).values(state="new"))
    portal.change(update(PORTAL_LEDGER.batch).values(state="done"))
    assert (portal.batch(batch.id), portal.entries(batch.id)) == (batch, before)


def test_what_was_ordered_comes_back_as_it_was(batches):
    treatment = Treatment(identity=("code",), empty={"age": Empty.CLEAR})
    order = batches.order([person(1)], whole=True, treatment=treatment)
    batch_id = batches.make(order=order)
    assert batches.shown(batch_id).order == order
