"""Tables on disk answer as dictionaries do, whether their entries are still in memory or not."""

import errno

import pytest

from portal.projects.disk_tables import DiskTables


@pytest.fixture
def tables():
    with DiskTables() as opened:
        yield opened


@pytest.fixture(params=[3, 1000], ids=["mostly on disk", "in memory"])
def table(tables, request):
    return tables.table(recent=request.param)


def test_what_is_kept_is_found_again(table):
    kept = {f"key {number}": f"value {number}" for number in range(100)}
    for key, value in kept.items():
        table[key] = value
    assert {key: table[key] for key in kept} == kept


def test_what_is_not_kept_is_not_found(table):
    table["a"] = "1"
    assert "b" not in table
    assert table.get("b") is None
    with pytest.raises(KeyError):
        table["b"]


def test_an_empty_value_is_a_value(table):
    table["a"] = ""
    assert "a" in table


def test_a_later_value_takes_the_place_of_an_earlier_one(table):
    for value in "one", "two":
        for key in "abcd":
            table[key] = value
    assert list(table.items()) == [(key, "two") for key in "abcd"]


def test_adding_keeps_the_first_value(table):
    assert [table.add(key, str(place)) for place, key in enumerate("abcdeb")] == [True] * 5 + [
        False
    ]
    assert table["b"] == "1"


def test_entries_come_in_the_order_of_their_keys(table):
    keys = ["é", "z", "Z", "日", "🎉", "a", "\ud800", "", "a\0b"]
    for key in keys:
        table[key] = key
    assert [key for key, _ in table.items()] == sorted(keys)


def test_tables_do_not_see_each_other(tables):
    one, two = tables.table(recent=1), tables.table(recent=1)
    one["a"] = "1"
    assert "a" not in two


def test_a_full_disk_is_said_as_files_say_it(tables):
    table = tables.table(recent=10)
    tables._database.execute("PRAGMA max_page_count = 4")
    with pytest.raises(OSError, match="No space") as raised:
        fill(table)
    assert raised.value.errno == errno.ENOSPC


def fill(table):
    for number in range(1000):
        table[str(number)] = "x" * 1000
