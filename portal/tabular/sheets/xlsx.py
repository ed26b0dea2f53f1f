"""XLSX, some rows at a time: no more of a sheet is held. ECMA-376 part 1, chapter 18."""

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from xml.parsers import expat

from portal.tabular.sheets import values
from portal.tabular.sheets.book import Sheet, SheetRow
from portal.tabular.sheets.errors import damaged
from portal.tabular.sheets.package import Package, local
from portal.tabular.sheets.stretches import read_items
from portal.tabular.sheets.values import Kind
from portal.tabular.sheets.xlsx_columns import Columns
from portal.tabular.sheets.xlsx_matching import RowMatcher, TextMatcher
from portal.tabular.sheets.xlsx_parts import Styles, TextParser
from portal.tabular.sheets.xlsx_rows import RowParser


class Workbook:
    """An XLSX workbook; raises TableError where it is none."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._part = _main_part(package)
        self._from_1904 = False
        self.sheets = self._find_sheets()

    def rows(self, sheet: Sheet, *, columns: int) -> Iterator[list[SheetRow]]:
        """See `Book.rows`."""
        related = _related(self._package, self._part)
        texts = self._read_texts(related)
        kinds = self._read_kinds(related)
        parser = RowParser(texts, kinds, from_1904=self._from_1904, columns=columns)
        matcher = RowMatcher(parser, Columns(texts, kinds, from_1904=self._from_1904))
        with self._package.open(sheet.part) as stream:
            yield from read_items(stream, parser, matcher)

    def _find_sheets(self) -> list[Sheet]:
        related = {r.id: r for r in _related(self._package, self._part)}
        sheets: list[Sheet] = []

        def start(tag: str, attributes: Mapping[str, str]) -> None:
            if local(tag) == "workbookPr" and "date1904" in attributes:
                self._from_1904 = attributes["date1904"] in ("1", "true")
            elif local(tag) == "sheet":
                relation = next((v for k, v in attributes.items() if local(k) == "id"), "")
                target = related.get(relation)
                if target is not None and target.kind == "worksheet":
                    name = values.unescaped(attributes.get("name", ""))
                    visible = attributes.get("state", "visible") == "visible"
                    place = len(sheets)
                    sheet = Sheet(name=name, visible=visible, place=place, part=target.part)
                    sheets.append(sheet)

        self._package.parse(self._part, _on_start(start))
        return sheets

    def _read_texts(self, related: list["_Related"]) -> list[str]:
        part = next((r.part for r in related if r.kind == "sharedStrings"), "")
        if not part or not self._package.has(part):
            return []
        with self._package.open_held(part) as stream:
            found = read_items(stream, TextParser(), TextMatcher())
            return list(chain.from_iterable(found))

    def _read_kinds(self, related: list["_Related"]) -> dict[str | None, Kind]:
        """Return the kind of number by the style as cells name it; None where they name none."""
        part = next((r.part for r in related if r.kind == "styles"), "")
        styles = Styles()
        if part and self._package.has(part):
            self._package.parse(part, _on_start(styles.start))
        found = [styles.kind(number) for number in styles.formats] or [Kind.NUMBER]
        return {None: found[0]} | {str(number): kind for number, kind in enumerate(found)}


@dataclass(frozen=True, kw_only=True)
class _Related:
    id: str
    kind: str
    part: str


def _main_part(package: Package) -> str:
    part = next((r.part for r in _related(package, "") if r.kind == "officeDocument"), "")
    if not part:
        raise damaged("it names no workbook")
    return part


def _related(package: Package, part: str) -> list[_Related]:
    folder, name = posixpath.split(part)
    found: list[_Related] = []

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        if local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.join("/", folder, attributes.get("Target", "").replace("\\", "/"))
            kind = posixpath.basename(attributes.get("Type", ""))
            path = posixpath.normpath(target).lstrip("/")
            found.append(_Related(id=attributes.get("Id", ""), kind=kind, part=path))

    package.parse(posixpath.join(folder, "_rels", f"{name}.rels"), _on_start(start))
    return found


def _on_start(
    handler: Callable[[str, Mapping[str, str]], None],
) -> Callable[[expat.XMLParserType], None]:
    def prepare(parser: expat.XMLParserType) -> None:
        parser.StartElementHandler = handler

    return prepare
