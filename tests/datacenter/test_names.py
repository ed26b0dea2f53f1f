"""Names: people get back what they gave, the disk gets nothing that could do harm."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.datacenter import names
from portal.errors import InvalidError
from portal.files import NAME_BYTES

TEXT = st.text(min_size=1).filter(lambda text: names.split(text)[0].strip())


def long_names_of(shown: str) -> dict[str, str]:
    cut = names.cut_stem(shown)
    return {cut.short: cut.whole} if cut else {}


@given(TEXT)
def test_a_name_on_disk_is_always_one_safe_file_name(shown: str) -> None:
    disk = names.disk_name(shown)
    assert "/" not in disk
    assert not disk.startswith(".")
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in disk)


@given(TEXT.map(lambda text: f"{text}.csv"))
def test_a_name_on_disk_fits_with_all_that_is_made_of_it(shown: str) -> None:
    stem = names.stem_of(names.disk_name(shown))
    longest = names.numbered(names.pending_name(stem, "create"), 1000)
    assert len(longest.encode()) <= NAME_BYTES


@given(TEXT.map(lambda text: f"{text}.csv"))
def test_a_name_that_portal_gave_is_safe(shown: str) -> None:
    assert names.is_safe(names.disk_name(shown))


@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), min_size=1, max_size=300
    ).filter(str.strip)
)
def test_people_see_the_name_they_gave_however_long(shown: str) -> None:
    composed = unicodedata.normalize("NFC", f"{shown}.csv")
    assert names.shown_name(names.disk_name(shown + ".csv"), long_names_of(composed)) == composed


@pytest.mark.parametrize(
    ("shown", "disk"),
    [
        ("data.csv", "data.csv"),
        ("Bücher 2026.csv", "Bücher 2026.csv"),
        ("名前.csv", "名前.csv"),
        ("../../etc/passwd.csv", "%2E./../etc/passwd.csv".replace("/", "%2F")),
        (".hidden.csv", "%2Ehidden.csv"),
        ("two\r\nlines.csv", "two%0D%0Alines.csv"),
        ("50%20.csv", "50%2520.csv"),
        ("a\\b.csv", "a%5Cb.csv"),
        ("e\u0301.csv", "\u00e9.csv"),
    ],
)
def test_a_name_is_changed_on_disk_only_where_it_must_be(shown: str, disk: str) -> None:
    assert names.disk_name(shown) == disk


def test_a_name_never_breaks_a_line_nor_turns_the_text_round() -> None:
    shown = names.shown_name(names.disk_name("a\r\nb\u202ecsv.exe.csv"))
    assert shown == "a␍␊b\ufffdcsv.exe.csv"


@pytest.mark.parametrize("shown", ["  ", ".csv", " .XLS"])
def test_an_empty_name_is_refused(shown: str) -> None:
    with pytest.raises(InvalidError, match="no name"):
        names.disk_name(shown)


def test_composed_and_decomposed_names_are_the_same() -> None:
    assert names.key("cafe\u0301.csv") == names.key("CAF\u00c9.csv")


def test_a_pending_file_of_a_long_name_keeps_the_stem_of_its_original() -> None:
    stem = "名" * 100
    original = names.disk_name(f"{stem}.csv")
    pending = names.disk_name(f"{stem}.create.pending.csv")
    found = names.find_pending(pending)
    assert found is not None
    assert found.stem == names.stem_of(original)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("x.create.pending.csv", ("x", "create")),
        ("x.y.update.pending.csv", ("x.y", "update")),
        ("x.create.pending.create.pending.csv", ("x.create.pending", "create")),
        ("x.pending.csv", None),
        (".pending.csv", None),
        ("x.create.finished.csv", None),
    ],
)
def test_a_pending_name_tells_stem_and_mode(name: str, found: tuple[str, str] | None) -> None:
    pending = names.find_pending(name)
    assert (pending and (pending.stem, pending.mode)) == found


def test_a_file_and_what_is_pending_of_it_run_in_one_lane() -> None:
    assert names.lane_of("X.create.pending.csv") == names.lane_of("x.csv")


def test_spreadsheets_keep_their_extension_in_what_is_made_of_them() -> None:
    assert names.pending_name(names.stem_of("x.xlsx"), "create") == "x.xlsx.create.pending.csv"


@pytest.mark.parametrize("name", [".x.csv", "x.csv.part", "x.part"])
def test_hidden_files_and_those_on_their_way_are_no_data(name: str) -> None:
    assert not names.is_data(name)


def test_a_pending_file_that_was_saved_twice_is_recognised() -> None:
    assert names.without_copy_number("x.create.pending (1).csv") == "x.create.pending.csv"
    assert names.without_copy_number("x (1).csv") == "x (1).csv"
