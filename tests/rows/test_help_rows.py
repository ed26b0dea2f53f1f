"""A clerk leaves the help row in the template: it is skipped, and that is said."""

from portal.tabular.help_rows import help_row
from tests.rows.people import FIELDS, person

HELP = help_row(FIELDS)


def test_a_templates_help_row_is_skipped_and_told(each_way) -> None:
    batch = each_way.done([HELP, person(1), person(2)])
    assert each_way.outcomes(batch.id) == {1: "skipped", 2: "created", 3: "created"}
    assert (batch.counts.skipped, batch.counts.created, batch.counts.failed) == (1, 2, 0)
    assert batch.counts.unprocessed == 0
    entry = each_way.entries(batch.id)[0]
    assert entry.skip_reason == "The template's own help row, which is no data."


def test_only_the_first_row_can_be_a_help_row(each_way) -> None:
    batch = each_way.done([person(1), HELP])
    assert each_way.outcomes(batch.id) == {1: "created", 2: "failed"}


def test_a_batch_with_a_help_row_is_undone_as_others(each_way) -> None:
    batch = each_way.done([HELP, person(1)])
    undone = each_way.undo(batch.id)
    assert (undone.undone, undone.kept) == (1, 0)
    assert each_way.people() == {}


def test_a_dry_run_skips_the_help_row_too(each_way) -> None:
    batch = each_way.done([HELP, person(1)], dry_run=True)
    assert each_way.outcomes(batch.id) == {1: "skipped", 2: "created"}
