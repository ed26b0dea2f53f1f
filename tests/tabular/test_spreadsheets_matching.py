"""Rows that are matched in one go are those that a parser alone would find, and so are errors."""

import io
import random
from collections.abc import Iterable, Iterator
from xml.parsers import expat
from xml.sax.saxutils import escape

import pytest

from portal.tabular.sheets.book import SheetRow
from portal.tabular.sheets.stretches import BLOCK, read_items
from portal.tabular.sheets.values import Kind
from portal.tabular.sheets.xlsx_columns import Columns
from portal.tabular.sheets.xlsx_matching import RowMatcher, TextMatcher
from portal.tabular.sheets.xlsx_parts import TextParser
from portal.tabular.sheets.xlsx_rows import RowParser
from portal.tabular.table import TableError

TEXTS = ["shared", "ä", "", "_x000D_"]
KINDS = {None: Kind.NUMBER, "0": Kind.NUMBER, "1": Kind.DATE, "2": Kind.DURATION}
CELLS = (
    '<c r="{}"><v>1</v></c>',
    '<c r="{}"><v>-0.25</v></c>',
    '<c r="{}" s="0"><v>1E3</v></c>',
    '<c r="{}"><v>0.30000000000000004</v></c>',
    '<c r="{}" t="n"><v>007</v></c>',
    '<c r="{}" s="1"><v>45351.5</v></c>',
    '<c r="{}" s="1"><v>0.5</v></c>',
    '<c r="{}" s="2"><v>1.25</v></c>',
    '<c r="{}" t="s"><v>1</v></c>',
    '<c r="{}" s="1" t="s"><v>3</v></c>',
    '<c r="{}" t="b"><v>1</v></c>',
    '<c r="{}" t="b"><v>0</v></c>',
    '<c r="{}" t="e"><v>#DIV/0!</v></c>',
    '<c r="{}" t="d"><v>2024-02-29T10:00:00</v></c>',
    '<c r="{}" t="str"><f>A1&amp;"x"</f><v>a &amp; b</v></c>',
    '<c r="{}"><f t="shared" si="0"/><v>3</v></c>',
    '<c r="{}" t="inlineStr"><is><t>plain</t></is></c>',
    '<c r="{}" t="inlineStr"><is><t xml:space="preserve"> ä\n\u2028ö </t></is></c>',
    '<c r="{}" t="inlineStr"><is><t>&lt;&#65;&#x42;&gt;&quot;&apos;_x0041_</t></is></c>',
    '<c r="{}" t="inlineStr"><is><t>a\r\nb&#13;c</t></is></c>',
    '<c r="{}" t="inlineStr"><is><r><t>rich</t></r><r><t>text</t></r></is></c>',
    '<c r="{}" t="inlineStr"><is><t><![CDATA[a<b]]></t></is></c>',
    '<c r="{}" s="1"/>',
    '<c r="{}" s="2"></c>',
    '<c r="{}"><v></v></c>',
    "",
)


class Nothing:
    """Knows no row, so that the parser gets all."""

    def take(self, _text: str, start: int) -> tuple[None, int]:
        return None, start


class Counting:
    """Says how many rows were matched."""

    def __init__(self, matcher: RowMatcher) -> None:
        self.rows = 0
        self._matcher = matcher

    def take(self, text: str, start: int) -> tuple[list[SheetRow] | None, int]:
        rows, end = self._matcher.take(text, start)
        self.rows += len(rows or ())
        return rows, end


def sheet(rows: Iterable[str], *, before: str = "", encoding: str = "utf-8") -> bytes:
    xml = f"{before}<worksheet><sheetData>{''.join(rows)}</sheetData></worksheet>"
    return xml.encode(encoding)


def row(number: int, cells: Iterable[str], tags: str = "") -> str:
    placed = (cell.format(f"{chr(65 + n)}{number}") for n, cell in enumerate(cells))
    return f'<row r="{number}"{tags}>{"".join(placed)}</row>'


def plain_rows(count: int) -> list[str]:
    return [row(n, [CELLS[1], CELLS[16]]) for n in range(1, count + 1)]


def chance_rows(source: random.Random, count: int) -> list[str]:
    """Rows of odd cells; their first cells are all alike, as in most sheets."""
    return [
        row(number, [CELLS[0], *source.choices(CELLS, k=source.choice((2, 3, 3, 3, 6)))])
        for number in range(1, count + 1)
    ]


def matched(data: bytes, *, columns: int = 100) -> tuple[object, int]:
    """What is found, or the fault; and how many rows were matched."""
    parser = new_parser(columns)
    counting = Counting(RowMatcher(parser, Columns(TEXTS, KINDS, from_1904=False)))
    return outcome(read_items(io.BytesIO(data), parser, counting)), counting.rows


def parsed(data: bytes, *, columns: int = 100) -> object:
    return outcome(read_items(io.BytesIO(data), new_parser(columns), Nothing()))


def new_parser(columns: int) -> RowParser:
    return RowParser(TEXTS, KINDS, from_1904=False, columns=columns)


def outcome(found: Iterator[list[SheetRow]]) -> object:
    """The rows without the empty cells at their ends, for matched ones may have such."""
    try:
        rows = [(line, stripped(cells)) for some in found for line, cells in some]
    except TableError as error:
        return str(error)
    except expat.ExpatError as error:
        return f"{expat.errors.messages[error.code]}, line {error.lineno}"
    return [one for one in rows if one[1]]


def stripped(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


def assert_same(data: bytes) -> int:
    """Both ways give the same; returns how many rows were matched."""
    found, count = matched(data)
    assert found == parsed(data)
    return count


@pytest.mark.parametrize("seed", range(20))
def test_odd_cells_are_read_alike(seed: int) -> None:
    assert_same(sheet(chance_rows(random.Random(seed), 60)))


@pytest.mark.parametrize("cell", CELLS[:19])
def test_cells_as_programs_write_them_are_matched(cell: str) -> None:
    rows = [row(1, [CELLS[16]] * 2), *(row(n, [CELLS[0], cell]) for n in range(2, 12))]
    assert assert_same(sheet(rows)) == 10


def test_nearly_all_rows_of_a_long_sheet_are_matched() -> None:
    rows = plain_rows(20_000)
    assert sum(map(len, rows)) > 4 * BLOCK
    assert assert_same(sheet(rows)) > 19_900


def test_rows_that_get_wider_are_matched_as_well() -> None:
    rows = [row(n, [CELLS[0]] * (1 + n // 50)) for n in range(1, 300)]
    assert assert_same(sheet(rows)) > 280


@pytest.mark.parametrize(
    "between",
    [
        "<!-- </row><row r='2'><c r='A2'><v>9</v></c></row> -->",
        "<!-- </row>",
        "<row r='1' x='</row>'/>",
        "<other/>\n\n",
        "<row r='2' ht='3'/>",
        "<row><c><v>4</v></c></row>",
        "<?row </row>?>",
        "</sheetData>",
        "&nbsp;",
    ],
)
def test_what_stands_between_rows_is_read_alike(between: str) -> None:
    rows = [row(n, [CELLS[0], CELLS[16]]) for n in (1, 5, 6, 7, 8)]
    rows.insert(2, between)
    assert_same(sheet(rows))


@pytest.mark.parametrize(
    "bad",
    [
        row(5, [CELLS[0]]),
        row(2_000_000, [CELLS[0]]),
        row(9, ['<c r="{}"><v>x</v></c>']),
        row(9, ['<c r="{}" t="s"><v>4</v></c>']),
        row(9, ['<c r="{}" t="s"><v>-1</v></c>']),
        row(9, ['<c r="{}" s="77"><v>1</v></c>']),
        row(9, ['<c r="{}" s="1" s="1"><v>1</v></c>']),
        row(9, ['<c r="{}" s=1><v>1</v></c>']),
        row(9, [CELLS[0]], tags=" spans"),
        row(9, ['<c r="{}"><v>1</t></is></c>']),
        row(9, ['<c r="{}" t="str"><v>&nbsp;</v></c>']),
        row(9, ['<c r="{}" t="str"><v>&#0;</v></c>']),
        row(9, ['<c r="{}" t="str"><v>&#xD800;</v></c>']),
        row(9, ['<c r="{}" t="str"><v>a & b</v></c>']),
        row(9, ['<c r="{}" t="str"><v>\x01</v></c>']),
        row(9, ['<c r="{}" t="str"><v>]]></v></c>']),
        row(9, ['<c r="{}" t="str"><v>\ufffe</v></c>']),
        row(9, ["<c r='{}'><v>1</v></c>", CELLS[0].replace("{}", "ZZ9")]),
    ],
)
def test_damage_is_told_alike(bad: str) -> None:
    rows = [*plain_rows(7), bad, row(10, [CELLS[16], CELLS[16]])]
    found = parsed(sheet(rows))
    assert matched(sheet(rows))[0] == found
    assert isinstance(found, str)


def test_damage_names_the_line_of_the_file() -> None:
    rows = [row(n, [CELLS[0], CELLS[17]]) for n in range(1, 9)]
    found = matched(sheet([*rows, "<row>"]))[0]
    assert found == parsed(sheet([*rows, "<row>"]))
    assert "line 9" in str(found)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig", "windows-1252"])
def test_other_letters_are_left_to_the_parser(encoding: str) -> None:
    rows = [row(n, [CELLS[0], f'<c r="{{}}" t="str"><v>{"Ã¤"}</v></c>']) for n in range(1, 9)]
    declared = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    data = sheet(rows, before=declared, encoding=encoding)
    found, count = matched(data)
    assert found == parsed(data)
    assert found[-1] == (8, ["1", "Ã¤"])
    assert (count > 0) == (encoding == "utf-8-sig")


def test_a_part_without_any_row_end_is_not_gathered() -> None:
    stream = io.BytesIO(b"<worksheet><sheetData>" + b"<!-- -->" * BLOCK)
    found = read_items(stream, new_parser(9), Nothing())
    assert next(found) == []
    assert stream.tell() <= 5 * BLOCK


@pytest.mark.parametrize("seed", range(60))
def test_random_damage_is_told_alike(seed: int) -> None:
    source = random.Random(seed)
    data = bytearray(sheet(chance_rows(source, 8)))
    for _change in range(source.randint(1, 3)):
        data[source.randrange(len(data))] = source.choice(b"<>/&;\"'= r1ct]\x01\xc3\n")
    assert_same(bytes(data))


def test_shared_texts_are_matched_as_a_parser_finds_them() -> None:
    texts = ["a", "", " b ", "ä & <", "_x0041_", "line\nline"] * 50
    items = [f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in texts]
    items[7] = "<si><r><t>ri</t></r><r><t>ch</t></r><rPh><t>no</t></rPh></si>"
    data = f'<?xml version="1.0"?>\n<sst>{"".join(items)}</sst>'.encode()
    both = [
        [one for some in read_items(io.BytesIO(data), TextParser(), way) for one in some]
        for way in (TextMatcher(), Nothing())
    ]
    assert both[0] == both[1]
    assert both[0][6:9] == ["a", "rich", " b "]
