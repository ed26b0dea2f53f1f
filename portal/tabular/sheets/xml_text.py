"""Text as it stands in XML, read as a parser would. XML 1.0, 2.2, 2.4, 2.11 and 4.1. Pure."""

import re

NO_CHARACTER = "\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff"
_ODD = re.compile(f"[&\r{NO_CHARACTER}]|]]>")
_WRONG = re.compile(f"[{NO_CHARACTER}]|]]>")
_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


class UnusualError(ValueError):
    """What only a parser can tell: whether it means something, or is broken."""


def are_plain(joined: str) -> bool:
    """Say whether texts, joined by something plain, stand for themselves."""
    if joined.isprintable():  # which is told quickly, and true of most
        return "&" not in joined and "]]>" not in joined
    return not _ODD.search(joined)


def plain_text(raw: str) -> str:
    """Return the text that `raw`, which has no `<`, stands for; raises UnusualError."""
    if _WRONG.search(raw):
        raise UnusualError(raw)
    if "\r" in raw:
        raw = raw.replace("\r\n", "\n").replace("\r", "\n")
    text, found = _REFERENCE.subn(_character, raw)
    if found != raw.count("&"):
        raise UnusualError(raw)
    return text


def _character(found: re.Match[str]) -> str:
    name, decimal, hexadecimal = found.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000 or (code != 13 and _WRONG.match(chr(code))):
        raise UnusualError(found[0])
    return chr(code)
