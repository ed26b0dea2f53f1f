"""What defaults and checks say, as far as their SQL is plain: literals and lists of words. Pure."""

import re

_TEXT = r"'((?:[^']|'')*)'(?:::[\w \"\.\[\]\(\)]+)?"
_LITERAL = re.compile(rf"\(*{_TEXT}\)*")
_NUMBER = re.compile(r"\(*(-?\d+(?:\.\d+)?)\)*(?:::[\w ]+)?")
_NAME = r"\(?\s*(\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|[^\W\d]\w*)\s*\)?(?:::[\w ]+)?"
_IN = re.compile(rf"\(*\s*{_NAME}\s+in\s*\((.*)\)\s*\)*", re.IGNORECASE | re.DOTALL)
_ANY = re.compile(
    rf"\(*\s*{_NAME}\s*=\s*any\s*\(+\s*array\s*\[(.*)\]\)*(?:::[\w \[\]]+)?\)*",
    re.IGNORECASE | re.DOTALL,
)
_ITEMS = re.compile(rf"\s*\(*{_TEXT}\)*(?:::[\w \[\]]+)?\s*")


def literal(default: str | None) -> str | None:
    """The value that a DEFAULT clause always gives, as text; None where that is computed."""
    said = (default or "").strip()
    if found := _LITERAL.fullmatch(said):
        return found[1].replace("''", "'")
    if found := _NUMBER.fullmatch(said):
        return found[1]
    bare = said.strip("()").lower()
    return bare if bare in ("true", "false") else None


def choices_in(check: str) -> tuple[str, tuple[str, ...]] | None:
    """The column and the words that it may have, where `check` is a list of those; else None."""
    found = _IN.fullmatch(check.strip()) or _ANY.fullmatch(check.strip())
    if found is None:
        return None
    words = _words(found[2])
    return (_unquoted(found[1]), words) if words else None


def _words(listed: str) -> tuple[str, ...]:
    words, place = [], 0
    while True:
        found = _ITEMS.match(listed, place)
        if found is None:
            return ()
        words.append(found[1].replace("''", "'"))
        if found.end() == len(listed):
            return tuple(words)
        if listed[found.end()] != ",":
            return ()
        place = found.end() + 1


def _unquoted(name: str) -> str:
    if name[0] in '"`':
        return name[1:-1].replace(name[0] * 2, name[0])
    return name.strip("[]")
