"""No name that was there before is called new, whatever its slot went through meanwhile."""

from hypothesis import given
from hypothesis import strategies as st

from portal.rows.slots import Slots


@given(st.lists(st.integers(0, 60) | st.sampled_from(["a", "b", "é"]), max_size=80))
def test_every_name_that_was_there_before_is_doubtful(names: list[object]) -> None:
    slots, seen, found = Slots(bits=4), {}, {}
    for row, name in enumerate(names, start=1):
        found.update((row, other) for other in slots.doubtful([name], [row]).values())
        if name in seen:
            assert found[row] in (seen[name], 0)
        seen[name] = row
    assert {row for row, name in enumerate(names, 1) if name in names[: row - 1]} <= found.keys()


def test_numbers_that_follow_each_other_are_not_doubted() -> None:
    slots = Slots()
    assert slots.doubtful(range(50_000), range(1, 50_001)) == {}


def test_names_that_share_a_slot_are_told_apart() -> None:
    slots = Slots(bits=4)
    assert slots.doubtful([5, 5 + 16, 5, 5 + 16], [1, 2, 3, 4]) == {2: 1, 3: 2}


def test_once_the_slots_are_full_every_name_is_doubted() -> None:
    slots = Slots(bits=4)
    slots.doubtful(range(48), range(1, 49))
    assert slots.doubtful([1000], [50]) == {0: 0}


def test_a_name_that_was_there_tells_its_row() -> None:
    assert Slots(bits=4).doubtful([("a", 1), ("b", 2), ("a", 1)], [7, 8, 9]) == {2: 7}
