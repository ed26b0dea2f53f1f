"""Which names a rule is for: a glob over the names that people see. Pure."""

from fnmatch import fnmatchcase

from portal.datacenter.names import PENDING, find_pending, key, without_copy_number
from portal.errors import InvalidError

LONGEST = 255
MOST_STARS = 8


def checked_pattern(text: str) -> str:
    """The pattern without blanks around it; raises InvalidError where it can be none."""
    pattern = text.strip()
    if not pattern or len(pattern) > LONGEST or not pattern.isprintable():
        raise InvalidError(f"Give a pattern of at most {LONGEST} characters, like users-*.csv.")
    if "/" in pattern:
        raise InvalidError("A pattern is for names of files, without folders.")
    if pattern.count("*") > MOST_STARS:
        raise InvalidError(f"A pattern has at most {MOST_STARS} asterisks.")
    return pattern


def fits(pattern: str, shown: str) -> bool:
    """Whether a name is one of the pattern: `*` any characters, `?` one, `[ab]` one of these.

    Capital letters count as small ones, as they do for the names of files.
    """
    return fnmatchcase(key(shown), key(pattern))


def is_for_rules(name: str) -> bool:
    """Whether rules may take a file: pending rows wait for a person who repairs them."""
    plain = without_copy_number(name)
    return find_pending(plain) is None and not plain.lower().endswith(PENDING)
