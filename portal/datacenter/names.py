"""Names of files: what people see, what lies on disk, and what the data centre makes of them. Pure.

A name on disk is the user's in NFC with what could do harm written as `%XX`, so that it can be
read back. A stem that is too long is cut and gets a mark; a table keeps the whole of it.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from portal import patterns
from portal.errors import InvalidError

CSV = ".csv"
FINISHED = ".finished.csv"
PENDING = ".pending.csv"
EXTENSIONS = (CSV, ".tsv", ".xlsx", ".xls", ".ods")
STEM_BYTES = 150  # leaves room for `.create.pending.csv` and a number

_HARMFUL = frozenset('/\\\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"')
_ESCAPED = re.compile(r"(?:%[0-9A-F]{2})+")
_LITERAL = re.compile(r"%(?=[0-9A-Fa-f]{2})")
_CUT = re.compile(r"(?P<short>.+?~[0-9a-f]{12})(?P<rest>.*)", re.DOTALL)
_DERIVED = re.compile(r"(?P<of>.+?)(?P<rest>(?:\.[^.]{1,20}\.(?:pending|finished))+)", re.DOTALL)
_COPY = re.compile(r"(?P<name>.+\.pending) \(\d+\)\.csv")


@dataclass(frozen=True, kw_only=True)
class PendingName:
    """What the name of a pending file says: the stem of its original, and the mode."""

    stem: str
    mode: str


@dataclass(frozen=True, kw_only=True)
class CutStem:
    """A stem that is too long for the disk: what stands for it there, and the whole of it."""

    short: str
    whole: str


def disk_name(shown: str) -> str:
    """The name under which a user's file lies on disk; raises InvalidError for an empty one."""
    base, rest = _parts(shown)
    return fitting(_escaped(base, first=True)) + _escaped(rest, first=False)


def cut_stem(shown: str) -> CutStem | None:
    """How the stem of a user's name is cut on disk; None where it fits."""
    base, _rest = _parts(shown)
    short = fitting(_escaped(base, first=True))
    return None if short == _escaped(base, first=True) else CutStem(short=short, whole=base)


def shown_name(disk: str, long_names: Mapping[str, str] | None = None) -> str:
    """What people see for a name on disk; never a line break nor a sign that turns the text round.

    `long_names` gives the whole stem for one that was cut.
    """
    found = _CUT.fullmatch(disk)
    if found and long_names and found["short"] in long_names:
        return _visible(long_names[found["short"]] + _unescaped(found["rest"]))
    return _visible(_unescaped(disk))


def is_safe(disk: str) -> bool:
    """Whether a name found on disk is one that Portal would give."""
    if not is_text(disk):
        return False
    base, _rest = _base(disk)
    return fitting(base) == base and not _has_harm(disk)


def is_text(disk: str) -> bool:
    """Whether a name found on disk is text at all; what is none cannot stand in an address."""
    try:
        disk.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_hidden(disk: str) -> bool:
    """Whether a name is never shown: work of ours, or a file that is still on its way."""
    return disk.startswith(".") or disk.endswith(".part")


def is_data(disk: str) -> bool:
    """Whether the data centre can read files with such a name."""
    return extension_of(disk) in EXTENSIONS and not is_hidden(disk)


def extension_of(name: str) -> str:
    """The extension in lower case, with its dot, if it is one of a table file; else nothing."""
    _stem, dot, extension = name.lower().rpartition(".")
    return dot + extension if dot + extension in EXTENSIONS else ""


def key(disk: str) -> str:
    """Two names with the same key are the same to people: case and composition do not count."""
    return patterns.key(disk)


def split(name: str) -> tuple[str, str]:
    """A name's stem and its extension of a table file; other names are all stem."""
    extension = extension_of(name)
    return (name[: -len(extension)], name[-len(extension) :]) if extension else (name, "")


def stem_of(original: str) -> str:
    """What the names of an original's results begin with: a CSV file's without its extension."""
    stem, extension = split(original)
    return stem if extension.lower() == CSV else original


def finished_name(stem: str, mode: str) -> str:
    """The name of the file of good rows."""
    return f"{stem}.{mode}{FINISHED}"


def pending_name(stem: str, mode: str) -> str:
    """The name of the file of failed rows."""
    return f"{stem}.{mode}{PENDING}"


def find_pending(name: str) -> PendingName | None:
    """What a pending file's name says; None for other names."""
    stem, dot, mode = name.removesuffix(PENDING).rpartition(".")
    if not name.endswith(PENDING) or not dot or not stem or not mode:
        return None
    return PendingName(stem=stem, mode=mode)


def lane_of(name: str) -> str:
    """The lane of jobs that work on this file or on what is pending of it."""
    return f"file:{subject_of(name)}"


def subject_of(name: str) -> str:
    """What a file and its pending rows have in common: the key of the original's stem."""
    found = find_pending(name)
    return key(found.stem if found else stem_of(name))[:240]


def without_copy_number(name: str) -> str:
    """A pending file that a browser saved twice, as it was called: `x.create.pending (1).csv`."""
    found = _COPY.fullmatch(name)
    return found["name"] + CSV if found else name


def numbered(name: str, number: int) -> str:
    """`x.csv` as `x (2).csv`; 1 is the name itself."""
    if number == 1:
        return name
    (stem, extension), mark = split(name), f" ({number})"
    return f"{fitting(stem, limit=STEM_BYTES - len(mark))}{mark}{extension}"


def fitting(stem: str, *, limit: int = STEM_BYTES) -> str:
    """The stem, cut and marked where it is too long for a name on disk."""
    content = stem.encode(errors="surrogateescape")
    if len(content) <= limit:
        return stem
    mark = hashlib.sha256(content).hexdigest()[:12]
    kept = content[: limit - len(mark) - 1].decode(errors="ignore")
    return f"{kept.rstrip()}~{mark}"


def _parts(shown: str) -> tuple[str, str]:
    normal = unicodedata.normalize("NFC", shown)
    base, rest = _base(normal)
    if not base.strip():
        raise InvalidError("The file has no name; give it one.")
    return base, rest


def _base(name: str) -> tuple[str, str]:
    """The part of a name that may be long, and what follows: mode, `.pending`, extension."""
    stem, extension = split(name)
    found = _DERIVED.fullmatch(stem)
    if found is None or extension != CSV:
        return stem, extension
    base, inner = split(found["of"])
    return base, inner + found["rest"] + extension


def _escaped(text: str, *, first: bool) -> str:
    text = _LITERAL.sub("%25", text)
    text = "".join(_escape(char) if _is_harmful(char) else char for char in text)
    return f"%2E{text[1:]}" if first and text.startswith(".") else text


def _escape(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode(errors="replace"))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(_decoded, text)


def _decoded(found: re.Match[str]) -> str:
    try:
        return bytes.fromhex(found[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return found[0]


def _is_harmful(char: str) -> bool:
    return char in _HARMFUL or unicodedata.category(char) in ("Cc", "Cs")


def _has_harm(disk: str) -> bool:
    composed = unicodedata.normalize("NFC", disk) == disk
    return not composed or disk.startswith(".") or any(_is_harmful(char) for char in disk)


def _visible(text: str) -> str:
    """Control characters as their pictures; signs that turn the text round as a blank mark."""
    return "".join(
        chr(0x2400 + ord(char)) if ord(char) < 0x20 else "\ufffd" if _bad(char) else char
        for char in text
    )


def _bad(char: str) -> bool:
    return _is_harmful(char) and char not in '/\\"'
