"""Text from bytes: by byte order mark, what the page says, UTF-8, else Windows-1252. Pure."""

import codecs
import re

_HEAD = 4096
_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([a-z0-9_.:-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]+encoding\s*=\s*["']([a-z0-9_.:-]+)["']""", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_AS_BROWSERS_DO = {  # https://encoding.spec.whatwg.org/#names-and-labels
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "utf-16": "utf-8",
    "utf-16-le": "utf-8",
    "utf-16-be": "utf-8",
}
_TEXT_ENCODINGS = re.compile(
    r"utf-8|iso8859-\d+|cp\d+|koi8-[rut]|mac-roman|gb\w+|big5\w*|euc_\w+|shift_jis\w*|iso2022_jp"
)


def decode(content: bytes) -> str:
    """Return `content` as text with plain line ends; every input gives one.

    NUL characters, which no page needs and PostgreSQL cannot keep, become U+FFFD.
    """
    text = _decode(content)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")


def _decode(content: bytes) -> str:
    for mark, name in _MARKS:
        if content.startswith(mark):
            return content.decode(name, "replace")
    for name in (_declared(content), "utf-8", "cp1252"):
        try:
            return content.decode(name)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _declared(content: bytes) -> str:
    """The encoding that the page names, as browsers understand the name; UTF-8 without one."""
    found = _XML.search(content[:_HEAD]) or _CHARSET.search(content[:_HEAD])
    if found is None:
        return "utf-8"
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except LookupError:
        return "utf-8"
    name = _AS_BROWSERS_DO.get(name, name)
    return name if _TEXT_ENCODINGS.fullmatch(name) else "utf-8"
