"""Names under which people sign in."""

import unicodedata

import pytest

from portal.accounts.names import clean_name, name_key
from portal.errors import InvalidError


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna", "ANNA"),
        ("Renée", unicodedata.normalize("NFD", "renée")),
        ("STRASSE", "straße"),
        (" anna ", "anna"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
def test_the_same_name_has_one_key_however_it_is_written(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


def test_a_key_is_its_own_key() -> None:
    assert name_key(name_key("Ǆ İ ΐ ŉ")) == name_key("Ǆ İ ΐ ŉ")


def test_names_that_look_alike_in_other_scripts_stay_different() -> None:
    assert name_key("anna") != name_key("аnna")


@pytest.mark.parametrize(
    "name",
    ["", "  ", "a" * 65, "an\u200bna", "an\nna", "an\x00na", "\u202eanna", "System", "anonymous"],
)
def test_a_name_nobody_can_read_or_own_is_refused(name: str) -> None:
    with pytest.raises(InvalidError):
        clean_name(name)


def test_a_name_whose_folded_form_would_not_fit_is_refused() -> None:
    with pytest.raises(InvalidError):
        clean_name("ﬃ" * 64)


def test_an_ordinary_name_is_kept_in_nfc() -> None:
    assert clean_name(unicodedata.normalize("NFD", " René Müller ")) == "René Müller"
