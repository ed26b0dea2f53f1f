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


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0] * 60 + [1, -1, 2, -3, 40, -40]), st.sampled_from([1] * 9 + [2])
        ),
        min_size=60,
        max_size=120,
    ),
    st.integers(0, 40),
    st.sampled_from([1, 20, 40, 60]),
)
def test_names_taken_in_turn_are_doubted_like_those_taken_one_by_one(
    steps: list[tuple[int, int]], start: int, size: int
) -> None:
    rows, names, row = [], [], 0
    for odd, step in steps:
        row += step
        rows.append(row)
        names.append(max(row + start + odd, 0))
    slots, seen = Slots(bits=8), dict[int, int]()
    for begin in range(0, len(rows), size):
        part, at = names[begin : begin + size], rows[begin : begin + size]
        found = slots.doubtful(part, at)
        expected = {}
        for place, (name, number) in enumerate(zip(part, at, strict=True)):
            if name in seen:
                expected[place] = seen[name]
            seen[name] = number
        assert found == expected


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
