"""What a password that a person chooses must be (NIST SP 800-63B: long, not common, no recipes)."""

import re
import unicodedata

from portal.accounts.names import name_key
from portal.errors import InvalidError

SHORTEST = 12
LONGEST = 256
_DISTINCT = 5
_SEQUENCES = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "98765432109876543210",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn",
)
_COMMON = (
    "administrator|admin|adminadmin|changeit|changeme|default|football|hello|helloworld|iloveyou|"
    "letmein|login|master|monkey|mypassword|passphrase|passwd|password|passwordpassword|passwort|"
    "portal|princess|qwerty|qwertz|secret|starwars|sunshine|superman|test|testtest|"
    "trustno|welcome|whatever|willkommen|correcthorsebatterystaple"
)
_LEET = str.maketrans("@4310$5!7", "aaeiossit")
_FILLER = re.compile(r"[\W\d_]+")
_TRIMMINGS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_COMMON_WORDS = re.compile(rf"(?:{_COMMON})+")
_REPEATED = re.compile(r"(.{1,6}?)\1+.{0,2}", re.DOTALL)


def check_new_password(password: str, *, name: str) -> None:
    """Raise InvalidError, saying what is wrong, unless the user `name` may choose `password`."""
    if len(password) < SHORTEST:
        raise InvalidError(
            f"The password is too short: use at least {SHORTEST} characters. "
            "A few words in a row are easy to remember."
        )
    if len(password) > LONGEST:
        raise InvalidError(f"The password is longer than {LONGEST} characters; shorten it.")
    if _resembles(password, name):
        raise InvalidError("The password is your name; choose one that others cannot guess.")
    if is_common(password):
        raise InvalidError(
            "This password is among the first that others try; choose one that is harder to guess."
        )


def is_common(password: str) -> bool:
    """Say whether `password` is a well-known word with trimmings, a run of keys or a repetition."""
    folded = unicodedata.normalize("NFKC", password).casefold()
    if len(set(folded)) < _DISTINCT or _REPEATED.fullmatch(folded):
        return True
    if any(folded in run or folded in run[::-1] for run in _SEQUENCES):
        return True
    return any(
        _is_common_word(form) for form in (folded, _TRIMMINGS.sub("", folded).translate(_LEET))
    )


def _is_common_word(folded: str) -> bool:
    return bool(_COMMON_WORDS.fullmatch(_FILLER.sub("", folded)))


def _resembles(password: str, name: str) -> bool:
    """The name itself, reversed, repeated or with digits and signs around it."""
    key = _FILLER.sub("", name_key(name))
    bare = _FILLER.sub("", name_key(password))
    if not key:
        return name_key(password) == name_key(name)
    return bare in (key, key[::-1]) or (len(bare) > len(key) and not bare.replace(key, ""))
