"""What rows said is kept for a time; then only what became of them."""

from datetime import timedelta

import pytest

from portal.errors import ConflictError
from portal.jobs.models import JobState
from portal.rows import service
from portal.rows.processors import Mode
from portal.rows.retention import forget_rows
from tests.rows.people import person
from tests.transactions import Transactions


@pytest.fixture
def later(each_way):
    """Forget with a clock that is so many days ahead."""

    def forget(days):
        runtime = each_way.runtime
        clock = runtime.clock
        object.__setattr__(runtime, "clock", lambda: clock() + timedelta(days=days))
        try:
            return forget_rows(runtime)
        finally:
            object.__setattr__(runtime, "clock", clock)

    return forget


def test_after_its_time_a_batch_tells_only_what_became_of_rows(each_way, later):
    each_way.done([person(1)])
    batch = each_way.done([person(1, name="New"), person(2)], mode=Mode.UPDATE)
    before = each_way.outcomes(batch.id)
    assert later(days=91) == 2
    for entry in each_way.entries(batch.id):
        told = (entry.cells, entry.before, entry.after, entry.after_hash)
        assert told == (None, None, None, None)
        assert not entry.errors
    assert each_way.outcomes(batch.id) == before
    assert each_way.batch(batch.id).counts == batch.counts
    assert each_way.shown(batch.id).forgotten_at is not None


def test_until_then_it_is_kept(each_way, later):
    each_way.done([person(1)])
    assert later(days=89) == 0


def test_a_forgotten_batch_is_neither_undone_nor_done_again(each_way, later):
    batch = each_way.done([person(1), person(2, age="x")])
    later(days=91)
    job = each_way.perform(batch.id, "undo")
    assert job.state == JobState.FAILED
    assert "no longer kept" in job.reason
    with pytest.raises(ConflictError, match="no longer kept"), each_way.books.write() as session:
        service.retry(session, batch_id=batch.id, tables=each_way.books.tables)


def test_a_batch_that_waits_is_not_forgotten(each_way, later):
    each_way.make([person(1)])
    assert later(days=500) == 0


def test_a_long_batch_is_forgotten_in_short_transactions(each_way, later):
    each_way.done([person(number, age="x") for number in range(900)])
    transactions = Transactions(each_way.runtime.engine)
    assert later(days=91) == 1
    transactions.assert_short()
