"""Which names a file may have in a spool and on a server. Pure."""

import re

from portal.errors import InvalidError
from portal.files import NAME_BYTES, safe_name

TEMPORARY = ".portal-"
LOCKS = ("write", "read")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\ud800-\udfff]")
_ROOM = NAME_BYTES - 64  # for what temporary and backup names have besides


def check_spool_name(name: str) -> str:
    """Return `name` if a file of a spool may be called so, else raise InvalidError with the reason.

    Refused are names that cannot be a file's, those of the locks on the server, and those that
    Portal gives its own files while they are on the way.
    """
    safe_name(name)
    if name in LOCKS:
        raise InvalidError(f"A file called {name!r} would be taken for a lock on the server.")
    if name.startswith(TEMPORARY):
        raise InvalidError(f"Names that start with {TEMPORARY!r} are Portal's own; choose another.")
    if len(name.encode()) > _ROOM:
        raise InvalidError(f"The name is longer than {_ROOM} bytes; shorten it.")
    return name


def numbered(name: str, number: int) -> str:
    """`name` with a number before its suffix: the second `a.csv` is `a~2.csv`."""
    if number == 1:
        return name
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}~{number}.{suffix}" if dot and stem else f"{name}~{number}"


def kept_name(name: str) -> str:
    """A name under which a file with a refused one can be kept aside."""
    harmless = _UNSAFE.sub("_", name).lstrip(".") or "unnamed"
    cut = harmless.encode()[: _ROOM // 2].decode(errors="ignore")
    return f"refused-{cut}"
