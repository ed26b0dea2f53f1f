"""Which files of a folder a channel takes, by patterns like `*.xml`. Pure."""

import fnmatch
from collections.abc import Callable, Sequence


def patterns_of(text: str) -> tuple[str, ...]:
    """The patterns in `text`, one in each line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def chooser(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    """Say whether a name is taken: it matches one of `include` (or there is none), not `exclude`.

    Capital and small letters count.
    """

    def takes(name: str) -> bool:
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in exclude):
            return False
        return not include or any(fnmatch.fnmatchcase(name, pattern) for pattern in include)

    return takes
