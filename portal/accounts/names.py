"""Names of people who sign in: what is allowed, and when two are the same."""

import unicodedata

from portal.errors import InvalidError

NAME_LENGTH = 64
KEY_LENGTH = 128
RESERVED = frozenset({"system", "anonymous"})
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def name_key(name: str) -> str:
    """The form in which names are compared: NFC of the case-folded NFC, so `É` is `e` + accent."""
    folded = unicodedata.normalize("NFC", name.strip()).casefold()
    return unicodedata.normalize("NFC", folded)


def clean_name(name: str) -> str:
    """Return `name` in NFC without outer spaces if somebody may sign in by it.

    Raises InvalidError for empty, long or reserved names and for characters that nobody sees.
    """
    clean = unicodedata.normalize("NFC", name.strip())
    if not clean:
        raise InvalidError("A user needs a name to sign in with.")
    if len(clean) > NAME_LENGTH or len(name_key(clean)) > KEY_LENGTH:
        raise InvalidError(f"The name is longer than {NAME_LENGTH} characters; shorten it.")
    if any(unicodedata.category(char) in _HIDDEN for char in clean):
        raise InvalidError("The name has a character that cannot be seen; leave it out.")
    if name_key(clean) in RESERVED:
        raise InvalidError(f"The name {clean!r} means Portal itself; choose another.")
    return clean
