"""Which passwords people may choose."""

import pytest

from portal.accounts.password_rules import check_new_password, is_common
from portal.accounts.passwords import make_one_time_password
from portal.errors import InvalidError


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "P@ssw0rd!2026",
        "passwordpassword",
        "123456789012",
        "qwertyuiopas",
        "abcdefghijkl",
        "lkjihgfedcba",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "otterotterotter",
        "Willkommen2026!",
        "administrator",
        "changeme-changeme",
        "1q2w3e4r5t6y",
    ],
)
def test_a_password_that_others_try_first_is_refused(password: str) -> None:
    with pytest.raises(InvalidError):
        check_new_password(password, name="anna")


@pytest.mark.parametrize("password", ["annakarenina", "AnnaKarenina1", "aninerakanna"])
def test_ones_own_name_is_refused(password: str) -> None:
    with pytest.raises(InvalidError):
        check_new_password(password, name="Anna Karenina")


@pytest.mark.parametrize("password", ["short", "a" * 11, "x9" * 129])
def test_too_short_and_too_long_are_refused(password: str) -> None:
    with pytest.raises(InvalidError):
        check_new_password(password, name="anna")


@pytest.mark.parametrize(
    "password",
    [
        "seven brown otters",
        "correct horse battery",
        "żółta łódź podwodna",
        "Kü!9-pq 27x§vv",
        "日本語のながいあいことばです",
    ],
)
def test_a_long_phrase_is_taken_without_recipes(password: str) -> None:
    check_new_password(password, name="anna")


def test_a_made_up_password_passes_the_rules() -> None:
    assert not any(is_common(make_one_time_password()) for _ in range(200))
