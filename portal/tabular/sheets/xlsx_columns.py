"""Cells of one column of an XLSX sheet, many at a time, as texts. ECMA-376 part 1, 18.3.1.4."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from xml.parsers import expat

from portal.tabular.sheets import values
from portal.tabular.sheets.values import Kind
from portal.tabular.sheets.xlsx_form import Column
from portal.tabular.sheets.xml_text import UnusualError, are_plain, plain_text

Texts = Sequence[str]
Convert = Callable[[Texts], Texts]
_REMEMBERED = 65_536
_TAGS_AT_MOST = 4_096


class Columns:
    """Turns what the cells of a column hold into their texts."""

    def __init__(
        self, texts: Sequence[str], kinds: Mapping[str | None, Kind], *, from_1904: bool
    ) -> None:
        self._texts = texts
        self._kinds = kinds
        self._from_1904 = from_1904
        self._known: dict[str, Convert] = {}

    def texts(self, column: Column) -> Texts:
        """Return the text of each cell, '' where there is none.

        Raises ValueError or LookupError for what a parser must look at.
        """
        tags, raw = column.tags, column.raw
        if column.alike and all(raw):
            return self._convert(column.alike.tag)(raw)  # type: ignore[arg-type] # all are texts
        found = [""] * len(raw)
        for tag in set(tags) - {None}:
            places = [n for n, one in enumerate(tags) if one == tag and raw[n]]
            texts = self._convert(tag or "")([raw[n] or "" for n in places])
            for place, text in zip(places, texts, strict=True):
                found[place] = text
        return found

    def _convert(self, tag: str) -> Convert:
        """What makes texts of cells that have these attributes."""
        if tag not in self._known:
            if len(self._known) >= _TAGS_AT_MOST:
                self._known.clear()
            self._known[tag] = self._make(attributes_of(f'c r="A1"{tag}'))
        return self._known[tag]

    def _make(self, attributes: Mapping[str, str]) -> Convert:
        type_ = attributes.get("t", "n")
        if type_ == "n":
            return self._of_numbers(self._kinds[attributes.get("s")])
        if type_ == "s":
            return self._shared
        if type_ == "b":
            return _one_by_one(values.boolean_text)
        return _one_by_one(values.iso_moment_text) if type_ == "d" else unescaped_texts

    def _of_numbers(self, kind: Kind) -> Convert:
        if kind is Kind.NUMBER:
            return _numbers
        return _one_by_one(partial(values.serial_text, kind=kind, from_1904=self._from_1904))

    def _shared(self, raw: Texts) -> Texts:
        numbers = list(map(int, raw))
        if numbers and min(numbers) < 0:
            raise UnusualError
        return list(map(self._texts.__getitem__, numbers))


def attributes_of(tag: str) -> Mapping[str, str]:
    """Parse the inside of an empty element's tag; raises UnusualError where it is none."""
    found: list[Mapping[str, str]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda _name, attributes: found.append(attributes)
    try:
        parser.Parse(f"<{tag}/>".encode(), True)
    except expat.ExpatError as error:
        raise UnusualError(tag) from error
    return found[0]


def unescaped_texts(raw: Texts) -> Texts:
    """Return the texts that `raw` stands for; raises UnusualError."""
    joined = " ".join(raw)
    if are_plain(joined) and "_x" not in joined:
        return raw
    return [values.unescaped(plain_text(one)) for one in raw]


def _numbers(raw: Texts) -> Texts:
    return values.number_texts(raw, one=lambda number: values.number_text(plain_text(number)))


def _one_by_one(function: Callable[[str], str]) -> Convert:
    remembered = _Remembered(lambda raw: function(plain_text(raw)))
    return lambda raw: list(map(remembered.__getitem__, raw))


class _Remembered(dict[str, str]):
    """What a function makes of texts that come again and again."""

    def __init__(self, function: Callable[[str], str]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, raw: str) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        text = self[raw] = self._function(raw)
        return text
