"""The parts of an XLSX workbook that its sheets refer to: cell styles and shared texts."""

from collections.abc import Mapping

from portal.tabular.sheets import values
from portal.tabular.sheets.package import local
from portal.tabular.sheets.stretches import Parser
from portal.tabular.sheets.values import Kind

_DATES = (*range(14, 18), 22, *range(27, 32), 36, *range(50, 59))
_TIMES = (18, 19, 20, 21, 32, 33, 34, 35, 45, 47)
_ELAPSED = 46


class Styles:
    """Which kind of number each cell style shows."""

    def __init__(self) -> None:
        self.formats: list[int] = []
        self._codes: dict[int, str] = {}
        self._inside = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = local(tag)
        if name == "numFmt":
            self._codes[int(attributes.get("numFmtId", 0))] = attributes.get("formatCode", "")
        elif name in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            self._inside = name == "cellXfs"
        elif name == "xf" and self._inside:
            self.formats.append(int(attributes.get("numFmtId", 0)))

    def kind(self, number: int) -> Kind:
        if number in self._codes:
            return values.kind_of_format(self._codes[number])
        if number == _ELAPSED:
            return Kind.DURATION
        if number in _TIMES:
            return Kind.TIME
        return Kind.DATE if number in _DATES else Kind.NUMBER


class TextParser(Parser[str]):
    """The shared texts; a reading aid (`rPh`) beside a text is no part of it."""

    def __init__(self) -> None:
        super().__init__("si")
        self._pieces: list[str] = []
        self._aside = False
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def _start(self, tag: str, _attributes: Mapping[str, str]) -> None:
        name = local(tag)
        if name == "t" and not self._aside:
            self._parser.CharacterDataHandler = self._pieces.append
        elif name == "rPh":
            self._aside = True

    def _end(self, tag: str) -> None:
        name = local(tag)
        self._parser.CharacterDataHandler = None
        if name == "si":
            self.item_ended()
            self.done.append(values.unescaped("".join(self._pieces)))
            self._pieces.clear()
        elif name == "rPh":
            self._aside = False
