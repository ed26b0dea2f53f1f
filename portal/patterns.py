"""Patterns of file names: `*` stands for any characters, `?` for one, `[ab]` for one of these."""

import unicodedata
from fnmatch import fnmatchcase

from portal.errors import InvalidError

LONGEST = 255
MOST_STARS = 8
SIGNS = frozenset("*?[")


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


def fits(pattern: str, name: str) -> bool:
    """Whether a name is one of the pattern; capital letters count as small ones."""
    return fnmatchcase(key(name), key(pattern))


def has_signs(name: str) -> bool:
    """Whether a name may stand for others."""
    return not SIGNS.isdisjoint(name)


def key(name: str) -> str:
    """Two names with the same key are the same to people: case and composition do not count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
