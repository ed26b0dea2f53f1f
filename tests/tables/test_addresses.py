"""Every name of a table can stand in an address."""

import pytest

from portal.tables.addresses import address_of, table_at


@pytest.mark.parametrize(
    "name", ["office", "a/b", "..", ".", "", "ü ☃", "~x", "a%2Fb", "x" * 63, "a b?#"]
)
def test_a_name_comes_back_from_its_address(name: str) -> None:
    address = address_of(name)
    assert table_at(address) == name
    assert not set(address) & set("/?#% ")
    assert address not in ("", ".", "..")


@pytest.mark.parametrize("address", ["~!", "~_w", "~\xff"])
def test_an_address_that_is_none_of_ours_names_no_table(address: str) -> None:
    assert table_at(address) == ""
