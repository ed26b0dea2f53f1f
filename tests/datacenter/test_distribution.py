"""Where results go, decided without a disk."""

from portal.datacenter.distribution import (
    Lying,
    Naming,
    Run,
    Staged,
    name_results,
    plan,
)
from portal.datacenter.steps import Act, Step

FINISHED = Staged(path=".work/1/finished", sha256="good")
PENDING = Staged(path=".work/1/pending", sha256="bad")
UNFINISHED = Lying(
    root=frozenset({"x.create.pending.csv"}),
    finished=frozenset({"x.create.finished.csv"}),
    unfinished=frozenset({"x.csv"}),
)


def lying(**folders: set[str]) -> Lying:
    return Lying(**{name: frozenset(found) for name, found in folders.items()})


def make_run(name: str, **values: object) -> Run:
    return Run(**{"name": name, "sha256": "source", "finished": FINISHED, **values})


def moves(steps: tuple[Step, ...]) -> list[tuple[Act, str, str]]:
    return [(step.act, step.source, step.target) for step in steps]


def test_a_file_without_errors_goes_to_finished_after_its_good_rows() -> None:
    naming = name_results("x.csv", "create", lying(root={"x.csv"}))
    assert moves(plan(make_run("x.csv"), naming)) == [
        (Act.MOVE, FINISHED.path, "finished/x.create.finished.csv"),
        (Act.MOVE, "x.csv", "finished/x.csv"),
    ]


def test_a_faulty_file_goes_to_unfinished_and_its_failed_rows_to_the_root() -> None:
    naming = name_results("x.csv", "update", lying(root={"x.csv"}))
    assert moves(plan(make_run("x.csv", pending=PENDING), naming)) == [
        (Act.MOVE, FINISHED.path, "finished/x.update.finished.csv"),
        (Act.MOVE, PENDING.path, "x.update.pending.csv"),
        (Act.MOVE, "x.csv", "unfinished/x.csv"),
    ]


def test_repaired_rows_join_the_good_ones_and_the_original_is_finished() -> None:
    naming = name_results("x.create.pending.csv", "create", UNFINISHED)
    steps = plan(make_run("x.create.pending.csv", finished_before="old"), naming)
    assert moves(steps) == [
        (Act.REPLACE, FINISHED.path, "finished/x.create.finished.csv"),
        (Act.MOVE, "unfinished/x.csv", "finished/x.csv"),
        (Act.REMOVE, "x.create.pending.csv", "x.create.pending.csv"),
    ]
    assert (steps[0].before, steps[0].after) == ("old", "good")


def test_rows_that_still_fail_take_the_place_of_the_pending_file() -> None:
    naming = name_results("x.create.pending.csv", "create", UNFINISHED)
    steps = plan(make_run("x.create.pending.csv", pending=PENDING), naming)
    assert moves(steps)[1:] == [(Act.REPLACE, PENDING.path, "x.create.pending.csv")]
    assert (steps[1].before, steps[1].after) == ("source", "bad")


def test_a_pending_file_of_an_unknown_original_is_a_new_file() -> None:
    name = "x.create.pending.csv"
    naming = name_results(name, "create", lying(root={name}))
    assert naming == Naming(
        original=name,
        finished="x.create.pending.create.finished.csv",
        pending="x.create.pending.create.pending.csv",
    )


def test_a_pending_file_in_another_mode_leaves_none_of_the_old_rows_behind() -> None:
    naming = name_results("x.create.pending.csv", "update", UNFINISHED)
    steps = plan(make_run("x.create.pending.csv", pending=PENDING), naming, taken=UNFINISHED.root)
    assert moves(steps)[1:] == [
        (Act.MOVE, PENDING.path, "x.update.pending.csv"),
        (Act.REMOVE, "x.create.pending.csv", "x.create.pending.csv"),
    ]


def test_a_second_file_of_the_same_name_gets_a_number_in_all_that_is_made_of_it() -> None:
    naming = name_results("x.csv", "create", lying(root={"x.csv"}, finished={"X.csv"}))
    assert naming == Naming(
        original="x (2).csv",
        finished="x (2).create.finished.csv",
        pending="x (2).create.pending.csv",
    )


def test_a_number_that_a_waiting_file_has_is_left_to_it() -> None:
    there = lying(root={"x.csv", "x (2).csv"}, unfinished={"x.csv"})
    assert name_results("x.csv", "create", there).original == "x (3).csv"


def test_failed_rows_never_meet_a_pending_file_of_somebody_else() -> None:
    there = lying(root={"x.csv", "x.create.pending.csv"})
    assert name_results("x.csv", "create", there).pending == "x (2).create.pending.csv"


def test_the_pending_rows_of_a_spreadsheet_find_it_again() -> None:
    name = "x.xlsx.create.pending.csv"
    assert name_results(name, "create", lying(root={name}, unfinished={"x.xlsx"})).repaired == (
        "x.xlsx"
    )


def test_an_original_is_found_whatever_its_extensions_case() -> None:
    name = "X.create.pending.csv"
    assert name_results(name, "create", lying(root={name}, unfinished={"X.CSV"})).repaired == (
        "X.CSV"
    )


def test_a_source_that_changed_meanwhile_stays_and_its_copy_is_the_original() -> None:
    copy = Staged(path=".work/1/original", sha256="read")
    naming = name_results("x.csv", "create", lying(root={"x.csv"}))
    steps = plan(make_run("x.csv", original=copy), naming)
    assert moves(steps)[1:] == [(Act.MOVE, copy.path, "finished/x.csv")]


def test_a_pending_file_that_changed_meanwhile_is_set_aside_before_the_new_one_comes() -> None:
    copy = Staged(path=".work/1/original", sha256="read")
    name = "x.create.pending.csv"
    naming = name_results(name, "create", UNFINISHED)
    steps = plan(make_run(name, pending=PENDING, original=copy), naming, taken=UNFINISHED.root)
    assert moves(steps)[1:] == [
        (Act.MOVE, name, "x.create.pending (2).csv"),
        (Act.MOVE, PENDING.path, name),
    ]


def test_without_good_rows_no_file_of_them_appears() -> None:
    naming = name_results("x.csv", "create", lying(root={"x.csv"}))
    steps = plan(make_run("x.csv", finished=None, pending=PENDING), naming)
    assert [step.target for step in steps] == ["x.create.pending.csv", "unfinished/x.csv"]
