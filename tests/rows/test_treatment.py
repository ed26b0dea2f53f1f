"""What is ordered for the cells of a batch holds for its rows, their repair and their undo."""

import pytest

from portal.jobs.models import JobState
from portal.rows.processors import Mode
from portal.rows.treatment import Treatment
from portal.tabular.fields import Empty
from portal.tabular.rules import Case, Rules
from tests.rows.people import person


@pytest.mark.parametrize(
    ("empty", "city"), [(Empty.KEEP, "Paris"), (Empty.CLEAR, "Rome"), (Empty.DEFAULT, "Rome")]
)
def test_an_empty_cell_of_an_update_keeps_clears_or_puts_the_default(each_way, empty, city):
    each_way.done([person(1)])
    treatment = Treatment(empty={"city": empty})
    each_way.done([person(1, city="", age="3")], mode=Mode.UPDATE, treatment=treatment)
    there = each_way.people()["c1"]
    assert (there.city or "Rome", there.age) == (city, 3)


def test_a_new_record_gets_its_default_where_the_cell_is_empty(each_way):
    each_way.done([person(1, city="")], treatment=Treatment(empty={"city": Empty.DEFAULT}))
    assert each_way.people()["c1"].city == "Rome"


def test_values_are_trimmed_unless_ordered_otherwise(each_way):
    treatment = Treatment(rules={"name": Rules(trim=False)})
    each_way.done([person(1, name=" Anna "), person(2, city=" Oslo ")], treatment=treatment)
    people = each_way.people()
    assert (people["c1"].name, people["c2"].city) == (" Anna ", "Oslo")


def test_rules_and_constants_hold_for_repaired_rows_and_for_the_undo(each_way):
    treatment = Treatment(rules={"name": Rules(case=Case.UPPER)}, constants={"city": "Oslo"})
    rows = [[f"c{n}", f"name {n}", "x" if n == 2 else "5"] for n in range(12)]
    names = ("code", "name", "age")
    batch = each_way.done(rows, columns=names, header=names, treatment=treatment)
    each_way.edit(batch.id, 3, {1: "mended", 2: "6"})
    done = each_way.retry(batch.id)
    people = each_way.people()
    assert (done.counts.created, people["c2"].name, people["c2"].city) == (12, "MENDED", "Oslo")
    undone = each_way.undo(batch.id)
    assert (undone.undone, undone.kept, each_way.people()) == (12, 0, {})


def test_a_constant_can_be_what_names_records(each_way):
    each_way.done([person(1), person(2)])
    names = ("age",)
    treatment = Treatment(constants={"code": "c2"})
    each_way.done([["9"]], columns=names, header=names, mode=Mode.UPDATE, treatment=treatment)
    assert each_way.people()["c2"].age == 9


def test_a_key_that_names_no_record_is_refused(each_way):
    batch_id = each_way.make([person(1)], treatment=Treatment(identity=("name",)))
    job = each_way.perform(batch_id)
    assert job.state == JobState.FAILED
    assert "name does not name one row" in job.reason
