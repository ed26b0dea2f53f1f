"""Names for tables and columns out of what people call them. Pure."""

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from portal.tables.new_tables import LONGEST, RESERVED

_LETTERS: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d"}
)
_OTHERS = re.compile(r"[^a-z0-9]+")


def identifier(text: str, *, otherwise: str, taken: Collection[str] = ()) -> str:
    """A name like `text` that a table or column can have and that is not `taken`.

    `otherwise` is the name of what has no letters to be named by.
    """
    lower = unicodedata.normalize("NFC", text).casefold().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", lower).encode("ascii", "ignore").decode()
    name = _OTHERS.sub("_", plain).strip("_")
    if not name:
        name = otherwise
    if name[0].isdigit():
        name = f"n_{name}"
    if name in RESERVED:
        name = f"{name}_"
    return _untaken(name[:LONGEST], taken)


def _untaken(name: str, taken: Collection[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        end = f"_{number}"
        found = f"{name[: LONGEST - len(end)]}{end}"
    return found
