"""The dry run: what would become of each row, and nothing written but the ledger."""

import pytest
from sqlalchemy import text

from portal.rows.processors import Mode
from portal.rows.service import get_batch
from tests.rows.batches import Batches
from tests.rows.people import person
from tests.rows.test_engine import DAMAGED


def test_a_dry_run_tells_the_same_as_the_run_and_creates_nothing(each_way):
    planned = each_way.done([*DAMAGED[:4], *DAMAGED[5:]], dry_run=True)
    assert each_way.people() == {}
    real = each_way.done([*DAMAGED[:4], *DAMAGED[5:]])
    assert planned.counts == real.counts
    assert each_way.outcomes(planned.id) == each_way.outcomes(real.id)
    assert each_way.errors(planned.id) == each_way.errors(real.id)


@pytest.mark.parametrize("mode", [Mode.UPDATE, Mode.REMOVE])
def test_a_dry_run_changes_and_removes_nothing(each_way, mode):
    each_way.done([person(1), person(2)])
    before = each_way.people()
    rows = [person(1, name="New"), person(2), person(3), person(1)]
    planned = each_way.done(rows, mode=mode, dry_run=True)
    assert each_way.people() == before
    assert each_way.backup(planned.id) == []
    real = each_way.done(rows, mode=mode)
    assert planned.counts == real.counts


def test_each_change_is_told_from_before_to_after(each_way):
    each_way.done([person(1)])
    planned = each_way.done([person(1, name="New", age="")], mode=Mode.UPDATE, dry_run=True)
    (entry,) = each_way.entries(planned.id)
    changes = {name: (entry.before[name], value) for name, value in entry.after.items()}
    assert changes == {"name": ("Name 1", "New")}


def test_no_number_of_a_sequence_is_used_up(each_way):
    each_way.done([person(number) for number in range(30, 50)], dry_run=True)
    each_way.done([person(1)])
    assert each_way.people()["c1"].id == 1


def test_what_a_processor_can_tell_before_is_told(runtime, tmp_path):
    checked = Batches(runtime, tmp_path, "checked")
    checked.done([person(2, name="Locked")])
    planned = checked.done([person(1, name="Nobody")], dry_run=True)
    assert checked.errors(planned.id) == {1: {"name": ["Nobody may be called so."]}}
    removal = checked.done([person(2)], mode=Mode.REMOVE, dry_run=True)
    assert checked.errors(removal.id) == {1: {"": ["This person is locked."]}}


def test_failed_rows_of_a_dry_run_can_be_edited_and_planned_again(batches):
    planned = batches.done([person(1, age="x")], dry_run=True)
    batches.edit(planned.id, 1, {2: "5"})
    assert batches.retry(planned.id).counts.created == 1
    assert batches.people() == {}


def test_a_dry_run_leaves_nothing_behind_but_its_ledger(batches):
    batch = batches.done([person(number) for number in range(3)], dry_run=True)
    with batches.runtime.reads() as session:
        assert session.scalar(text("SELECT count(*) FROM row_batch")) == 1
        assert get_batch(session, batch_id=batch.id).order.dry_run
    assert list((batches.runtime.settings.data / "work").glob("*")) == []
