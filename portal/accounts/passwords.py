"""Passwords at rest: Argon2id with OWASP's parameters, and passwords that Portal makes up.

A password is taken in NFKC, so that it is the same from every keyboard (NIST SP 800-63B, 3.1.1.2).
"""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane. Eight sign-ins at once must
# not fill a small machine's memory.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# The hash of a password that nobody knows: checking it costs what checking a real one costs.
NOBODYS_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$WAqRd9nwTjEFbdaZJzRvd"
    "w$C453z2nWzpFhvOuVxyk2CEW3HRBiWi4gBze886Uzsq4"
)
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters and digits that look alike
_GROUPS, _GROUP_LENGTH = 4, 5


def hash_password(password: str) -> str:
    """Return what is stored instead of `password`; takes tens of milliseconds on purpose."""
    return _HASHER.hash(_normal(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Say whether `password` is the one behind `stored`; without one, False in the same time."""
    try:
        matches = _HASHER.verify(stored or NOBODYS_HASH, _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return matches and stored is not None


def needs_rehash(stored: str) -> bool:
    """Say whether `stored` was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def make_one_time_password() -> str:
    """Return a random password of 99 bits that can be read out over a telephone."""
    groups = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return "-".join(groups)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
