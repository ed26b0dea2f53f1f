"""What a file of rows is written in: encoding, delimiter, quotes, line ends; and finding it."""

import codecs
import os
from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path, PurePath
from typing import Any

from portal.errors import InvalidError
from portal.tabular.dialect import LINE_ENDS, QUOTINGS, Dialect, Trial, after_sep_line, try_dialects
from portal.tabular.encoding import ENCODINGS, Guess, find_encoding
from portal.tabular.opening import open_stored
from portal.tabular.quoting import find_habits

KINDS = ("csv", "xlsx", "xls", "ods")
ENDINGS = {".csv": "csv", ".tsv": "csv", ".tab": "csv", ".txt": "csv"}
ENDINGS |= {f".{kind}": kind for kind in KINDS[1:]}
HEAD = 262_144
DELIMITER_NAMES = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "vertical bar",
    ":": "colon",
    " ": "space",
    "\x1f": "unit separator",
    "\x01": "control character 1",
}
_ENCODINGS_OFFERED = _DIALECTS_OFFERED = 5
_OTHER_KINDS = {
    b"PK\x03\x04": "a ZIP archive, or a spreadsheet of Excel or LibreOffice",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "a spreadsheet or document of an older Office",
    b"\x1f\x8b": "a file packed by gzip",
    b"%PDF-": "a PDF document",
}


@dataclass(frozen=True, kw_only=True)
class Format:
    """How a file is to be read, and how one like it is written. Anything unfit: InvalidError.

    `encoding` is a name of Python's codec: `utf-8-sig`, `utf-16` and `utf-32` where a byte order
    mark stands; `bom` tells of one that the name does not. Without `quote` no cell is quoted; a
    quote inside a cell is `doubled`, or stands after a backslash. `quoting` is which cells are
    quoted when written. `sep_line`: the first line is Excel's `sep=;`. A file of rows made from a
    spreadsheet (`kind`; `sheet`, the first where it is empty) is written as `csv`.
    """

    kind: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    doubled: bool = True
    line_end: str = "\r\n"
    sheet: str = ""
    bom: bool = False
    skip_space: bool = False
    quoting: str = "minimal"
    sep_line: bool = False

    def __post_init__(self) -> None:
        """Refuse what no file can be written in."""
        _one_of("kind of file", self.kind, KINDS)
        _one_of("encoding", self.encoding, ENCODINGS)
        _one_of("line end", self.line_end, LINE_ENDS)
        _one_of("quoting", self.quoting, QUOTINGS)
        self.dialect.check()

    @property
    def dialect(self) -> Dialect:
        """The part of it that splits lines into cells."""
        return Dialect(
            delimiter=self.delimiter,
            quote=self.quote,
            doubled=self.doubled,
            skip_space=self.skip_space,
        )

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` makes the same format of."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Format":
        """Make the format that `as_json` gave, or a person chose; InvalidError if it is none."""
        kinds = {field.name: type(field.default) for field in fields(cls)}
        for name, value in stored.items():
            if name not in kinds or type(value) is not kinds[name]:
                raise InvalidError(f"A format of files has no {name!r} that is {value!r}.")
        return cls(**stored)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The format that a file seems to have, how sure that is (0 to 1), and why.

    `alternatives` are what else it may be, for the user to choose from, the likelier first.
    """

    format: Format
    encoding_confidence: float
    dialect_confidence: float
    reasons: tuple[str, ...]
    alternatives: tuple[Format, ...]


def find_format(path: Path, *, name: str) -> Finding:
    """Return how the file at `path`, which people call `name`, is to be read.

    Reads no more than the first 256 kB, in time linear in them. InvalidError where the name has no
    ending of a table, or the content is plainly something else.
    """
    ending = PurePath(name).suffix.lower()
    kind = ENDINGS.get(ending)
    if kind is None:
        raise InvalidError(f"Portal reads CSV, TSV, XLS, XLSX and ODS files; {name!r} is none.")
    if kind != "csv":
        return _spreadsheet(kind)
    with open_stored(path) as stream:
        head = stream.read(HEAD)
        whole = len(head) == os.fstat(stream.fileno()).st_size
    _refuse_other_kinds(head)
    return _judge(head, whole=whole, hint="\t" if ending in (".tsv", ".tab") else "")


def _one_of(what: str, value: str, allowed: Container[str]) -> None:
    if value not in allowed:
        raise InvalidError(f"{value!r} is no {what} that Portal knows.")


def _spreadsheet(kind: str) -> Finding:
    """A spreadsheet says itself how it is to be read; which sheet, a person says."""
    return Finding(
        format=Format(kind=kind),
        encoding_confidence=1.0,
        dialect_confidence=1.0,
        reasons=(f"The name of the file ends in .{kind}.",),
        alternatives=(),
    )


def _refuse_other_kinds(head: bytes) -> None:
    for start, what in _OTHER_KINDS.items():
        if head.startswith(start):
            raise InvalidError(f"This is {what}, although its name says that it is text.")


def _judge(head: bytes, *, whole: bool, hint: str) -> Finding:
    guesses = find_encoding(head, whole=whole)
    text = _decoded(head, guesses[0].encoding)
    sep, body = after_sep_line(text)
    trials = try_dialects(body, whole=whole, hint=sep or hint)
    if sep:
        trials = _named_first(trials, sep)
    found = _format(guesses[0], trials[0].dialect, body, has_sep_line=bool(sep))
    return Finding(
        format=found,
        encoding_confidence=guesses[0].confidence if body else 0.0,
        dialect_confidence=_confidence(trials, sep) if body else 0.0,
        reasons=(guesses[0].reason, _why(trials[0], sep=sep)) if body else ("The file is empty.",),
        alternatives=tuple(_alternatives(found, guesses, trials)),
    )


def _decoded(head: bytes, encoding: str) -> str:
    return codecs.getincrementaldecoder(encoding)("replace").decode(head).lstrip("\ufeff")


def _named_first(trials: list[Trial], sep: str) -> list[Trial]:
    """What the first line names is so, whether it occurs or not."""
    named = [trial for trial in trials if trial.dialect.delimiter == sep]
    alone = Trial(dialect=Dialect(delimiter=sep), score=1.0, columns=1)
    return [*(named or [alone]), *(trial for trial in trials if trial not in named)]


def _format(guess: Guess, dialect: Dialect, body: str, *, has_sep_line: bool) -> Format:
    line_end, quoting = find_habits(body, dialect)
    return Format(
        encoding=guess.encoding,
        bom=guess.bom,
        line_end=line_end,
        quoting="all" if dialect.skip_space else quoting,
        sep_line=has_sep_line,
        **asdict(dialect),
    )


def _confidence(trials: list[Trial], sep: str) -> float:
    """How much better the best is than any that parts the cells elsewhere."""
    best = trials[0]
    if sep:
        return 1.0
    others = [one.score for one in trials if one.dialect.delimiter != best.dialect.delimiter]
    lead = 1.0 - max(others, default=0.0) / best.score
    return round((0.5 + lead / 2) * (0.3 if best.broken else 1.0), 2)


def _why(best: Trial, *, sep: str) -> str:
    delimiter = DELIMITER_NAMES.get(best.dialect.delimiter, best.dialect.delimiter)
    if sep:
        return f"Its first line names {delimiter} as the delimiter."
    if best.columns < 2:
        return "No character parts its lines into columns."
    if best.broken:
        return f"Cells seem to be parted by {delimiter}, but quotes do not match."
    return f"Parted by {delimiter}, most rows have {best.columns:,} columns."


def _alternatives(found: Format, guesses: list[Guess], trials: list[Trial]) -> Iterator[Format]:
    """First the likeliest other encodings, then the likeliest other ways to part the cells."""
    for guess in guesses[1:_ENCODINGS_OFFERED]:
        yield replace(found, encoding=guess.encoding, bom=guess.bom)
    for trial in trials[1:_DIALECTS_OFFERED]:
        if trial.score > 0:
            yield replace(found, **asdict(trial.dialect))
