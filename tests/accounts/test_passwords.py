"""Passwords at rest."""

import re
import unicodedata

from argon2 import PasswordHasher

from portal.accounts.passwords import (
    NOBODYS_HASH,
    hash_password,
    make_one_time_password,
    needs_rehash,
    verify_password,
)


def test_a_password_is_kept_as_argon2id() -> None:
    assert hash_password("seven brown otters").startswith("$argon2id$")


def test_the_right_password_is_recognised_and_another_is_not() -> None:
    stored = hash_password("seven brown otters")
    assert verify_password(stored, "seven brown otters")
    assert not verify_password(stored, "seven brown otter")


def test_a_password_typed_in_another_unicode_form_is_the_same() -> None:
    stored = hash_password("żółta łódź")
    assert verify_password(stored, unicodedata.normalize("NFD", "żółta łódź"))


def test_nobody_has_a_password() -> None:
    assert not verify_password(None, "seven brown otters")


def test_a_damaged_hash_lets_nobody_in() -> None:
    assert not verify_password("not a hash", "seven brown otters")


def test_checking_nobody_costs_what_checking_somebody_costs() -> None:
    assert not needs_rehash(NOBODYS_HASH)


def test_a_hash_with_older_parameters_is_to_be_made_anew() -> None:
    older = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("x")
    assert needs_rehash(older)
    assert not needs_rehash(hash_password("x"))


def test_one_time_passwords_are_readable_and_differ() -> None:
    made = {make_one_time_password() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"([a-hjkmnp-z2-9]{5}-){3}[a-hjkmnp-z2-9]{5}", one) for one in made)
