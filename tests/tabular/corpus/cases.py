"""A corpus of odd files, made the same way each time: encodings, dialects and quirks crossed.

Everything here is spelled out by hand: neither Portal nor `csv` takes part in the making.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
LINE_ENDS = {"crlf": "\r\n", "lf": "\n", "cr": "\r"}
Rows = list[tuple[int, int, list[str]]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file, and what has to be found and read. `exact`: writing gives the same bytes again."""

    name: str
    content: bytes
    encoding: str
    delimiter: str
    line_end: str
    header: list[str]
    rows: Rows
    exact: bool = True
    file_name: str = "file.csv"
    finding: dict[str, object] = field(default_factory=dict)


def all_cases() -> list[Case]:
    return [*encoding_cases(), *quirk_cases(), *quoting_cases(), *rare_delimiter_cases()]


LANGUAGES: dict[str, list[list[str]]] = {
    "German": [["Name", "Straße"], ["Jürgen Groß", "Düsseldorfer Allee 7"], ["Käthe", "Höhe 3"]],
    "French": [["nom", "prénom"], ["Lefèvre", "François"], ["Garçon", "Hélène"]],
    "Spanish": [["nombre", "dirección"], ["Núñez", "Málaga"], ["Ibáñez", "León"]],
    "Norwegian": [["navn", "sted"], ["Bjørn Ås", "Tromsø"], ["Pål", "Bodø"]],
    "Polish": [["imię", "miasto"], ["Łukasz Wąs", "Łódź"], ["Małgorzata", "Częstochowa"]],
    "Czech": [["jméno", "město"], ["Jiří Dvořák", "Plzeň"], ["Šárka", "Děčín"]],
    "Hungarian": [["név", "város"], ["Erdős Győző", "Székesfehérvár"], ["Űrhajós", "Kőszeg"]],
    "Russian": [["имя", "город"], ["Сергей Иванов", "Москва"], ["Наталья", "Казань"]],
    "Ukrainian": [["назва", "місто"], ["Їжак Євген", "Київ"], ["Олена", "Чернівці"]],
    "Greek": [["όνομα", "πόλη"], ["Γιώργος", "Αθήνα"], ["Δημήτρης", "Θεσσαλονίκη"]],
    "Turkish": [["adı", "şehir"], ["Ayşe Yıldız", "İstanbul"], ["Çağrı", "Muğla"]],
    "Lithuanian": [["vardas", "miestas"], ["Žydrūnas", "Šiauliai"], ["Rūta", "Panevėžys"]],
    "Hebrew": [["שם", "עיר"], ["משה כהן", "ירושלים"], ["שרה לוי", "חיפה"]],
    "Arabic": [["الاسم", "المدينة"], ["محمد علي", "القاهرة"], ["فاطمة", "الرياض"]],
    "Japanese": [["名前", "都市"], ["田中太郎", "東京"], ["鈴木", "大阪"]],
}
ENCODED = {
    "cp1252": ("German", "French", "Spanish", "Norwegian"),
    "cp1250": ("Polish", "Czech", "Hungarian"),
    "cp1251": ("Russian", "Ukrainian"),
    "cp1253": ("Greek",),
    "cp1254": ("Turkish",),
    "cp1255": ("Hebrew",),
    "cp1256": ("Arabic",),
    "cp1257": ("Lithuanian",),
    "iso8859-2": ("Polish", "Czech"),
    "koi8-r": ("Russian",),
    "cp866": ("Russian",),
    "cp850": ("German", "French"),
    "utf-8": ("German", "Russian", "Japanese"),
    "utf-8-sig": ("Polish", "Hebrew", "Japanese"),
    "utf-16": ("German", "Greek", "Japanese"),
    "utf-16-be+bom": ("French", "Russian", "Japanese"),
    "utf-16-le": ("German", "Russian", "Japanese"),
    "utf-16-be": ("German", "Russian", "Arabic"),
    "utf-32": ("Japanese",),
}


def encoding_cases() -> Iterator[Case]:
    """Each language in its encodings, parted and ended in every way."""
    for number, (name, languages) in enumerate(ENCODED.items()):
        for language in languages:
            for end_number, (end_name, end) in enumerate(LINE_ENDS.items()):
                for step in range(2):
                    delimiter_name = list(DELIMITERS)[(number + end_number + 2 * step) % 4]
                    case_name = f"{name} {language} {delimiter_name} {end_name}"
                    yield _encoded(case_name, name, language, DELIMITERS[delimiter_name], end)


def _encoded(case_name: str, name: str, language: str, delimiter: str, end: str) -> Case:
    table = LANGUAGES[language]
    text = "".join(delimiter.join(row) + end for row in table)
    encoding, _, bom = name.partition("+")
    mark = codecs.BOM_UTF16_BE if bom else b""
    return Case(
        name=case_name,
        content=mark + text.encode(encoding),
        encoding=encoding,
        delimiter=delimiter,
        line_end=end,
        header=table[0],
        rows=[(number, number + 1, row) for number, row in enumerate(table[1:], start=1)],
        finding={"bom": bool(bom)},
    )


# In these, ␟ is the delimiter and ␤ the line end. The rows are (line, cells).
QUIRKS: dict[str, tuple[str, list[str], list[tuple[int, list[str]]]]] = {
    "header only": ("id␟name␟city␤", ["id", "name", "city"], []),
    "blank lines between": (
        "id␟name␤1␟Anna␤␤2␟Bob␤␤␤3␟Carl␤",
        ["id", "name"],
        [(2, ["1", "Anna"]), (3, []), (4, ["2", "Bob"]), (5, []), (6, []), (7, ["3", "Carl"])],
    ),
    "blank rows of delimiters": (
        "id␟name␟city␤1␟Anna␟Rome␤␟␟␤2␟Bob␟Oslo␤",
        ["id", "name", "city"],
        [(2, ["1", "Anna", "Rome"]), (3, ["", "", ""]), (4, ["2", "Bob", "Oslo"])],
    ),
    "ragged rows": (
        "id␟name␟city␤1␟Anna␟Rome␤2␟Bob␤3␟Carl␟Paris␟more␤4␟Dora␟Bonn␤",
        ["id", "name", "city"],
        [
            (2, ["1", "Anna", "Rome"]),
            (3, ["2", "Bob"]),
            (4, ["3", "Carl", "Paris", "more"]),
            (5, ["4", "Dora", "Bonn"]),
        ],
    ),
    "trailing delimiters": (
        "id␟name␟␟␤1␟Anna␟␟␤2␟Bob␟␟␤",
        ["id", "name", "", ""],
        [(2, ["1", "Anna", "", ""]), (3, ["2", "Bob", "", ""])],
    ),
    "line ends in quotes": (
        'id␟note␟city␤1␟"one\ntwo\r\nthree"␟Rome␤2␟plain␟Oslo␤',
        ["id", "note", "city"],
        [(2, ["1", "one\ntwo\r\nthree", "Rome"]), (5, ["2", "plain", "Oslo"])],
    ),
    "lone CR in quotes": (
        'id␟note␤1␟"one\rtwo"␤2␟plain␤',
        ["id", "note"],
        [(2, ["1", "one\rtwo"]), (4, ["2", "plain"])],
    ),
    "header over two lines": (
        'id␟"full\nname"␟city␤1␟Anna␟Rome␤2␟Bob␟Oslo␤',
        ["id", "full\nname", "city"],
        [(3, ["1", "Anna", "Rome"]), (4, ["2", "Bob", "Oslo"])],
    ),
    "doubled quotes": (
        'id␟note␤1␟"she said ""hi"" twice"␤2␟""""␤',
        ["id", "note"],
        [(2, ["1", 'she said "hi" twice']), (3, ["2", '"'])],
    ),
    "delimiter in quotes": (
        'id␟note␟city␤1␟"a␟b␟c"␟Rome␤2␟"␟"␟Oslo␤',
        ["id", "note", "city"],
        [(2, ["1", "a␟b␟c", "Rome"]), (3, ["2", "␟", "Oslo"])],
    ),
    "leading zeros and long numbers": (
        "code␟account␟value␤007␟12345678901234567890123␟1.10␤042␟00000000000000000001␟2.50␤",
        ["code", "account", "value"],
        [
            (2, ["007", "12345678901234567890123", "1.10"]),
            (3, ["042", "00000000000000000001", "2.50"]),
        ],
    ),
    "dates as written": (
        "id␟day␟time␤1␟03.04.2024␟7:05␤2␟3/4/24␟23:59:59␤3␟2024-04-03␟00:00␤",
        ["id", "day", "time"],
        [
            (2, ["1", "03.04.2024", "7:05"]),
            (3, ["2", "3/4/24", "23:59:59"]),
            (4, ["3", "2024-04-03", "00:00"]),
        ],
    ),
    "spaces at the edges": (
        "id␟name␤1␟ Anna ␤ 2 ␟Bob  ␤",
        ["id", "name"],
        [(2, ["1", " Anna "]), (3, [" 2 ", "Bob  "])],
    ),
    "other separators of lines inside": (
        "id␟note␤1␟a\x0cb␤2␟c\x0bd\u2028e\x85f␤3␟\x1cg␤",
        ["id", "note"],
        [(2, ["1", "a\fb"]), (3, ["2", "c\x0bd\u2028e\x85f"]), (4, ["3", "\x1cg"])],
    ),
    "names beyond the basic plane": (
        "id␟note␤1␟🎉 party␤2␟𝄞 clef␤",
        ["id", "note"],
        [(2, ["1", "🎉 party"]), (3, ["2", "𝄞 clef"])],
    ),
    "apostrophes": (
        "id␟name␟city␤1␟'t Hart␟'s-Gravenhage␤2␟O'Brien␟Cork␤",
        ["id", "name", "city"],
        [(2, ["1", "'t Hart", "'s-Gravenhage"]), (3, ["2", "O'Brien", "Cork"])],
    ),
    "raw formulas": (
        "id␟sum␟phone␤1␟=1+1␟+49 30 1234␤2␟-5␟@home␤",
        ["id", "sum", "phone"],
        [(2, ["1", "=1+1", "+49 30 1234"]), (3, ["2", "-5", "@home"])],
    ),
    "markers": (
        "id␟name␟city␤1␟XXX␟<IGNORE>␤2␟[]␟Oslo␤",
        ["id", "name", "city"],
        [(2, ["1", "XXX", "<IGNORE>"]), (3, ["2", "[]", "Oslo"])],
    ),
}
INEXACT: dict[str, tuple[str, list[str], list[tuple[int, list[str]]]]] = {
    "no line end at the end": (
        "id␟name␤1␟Anna␤2␟Bob",
        ["id", "name"],
        [(2, ["1", "Anna"]), (3, ["2", "Bob"])],
    ),
    "no line end after quotes": (
        'id␟name␤1␟Anna␤2␟"Bob"',
        ["id", "name"],
        [(2, ["1", "Anna"]), (3, ["2", "Bob"])],
    ),
    "blank lines before the header": (
        "␤␤id␟name␤1␟Anna␤2␟Bob␤",
        ["id", "name"],
        [(4, ["1", "Anna"]), (5, ["2", "Bob"])],
    ),
    "quotes inside a cell": (
        'size␟item␤5" pipe␟steel␤3␟37°36\'37.8"N␤',
        ["size", "item"],
        [(2, ['5" pipe', "steel"]), (3, ["3", "37°36'37.8\"N"])],
    ),
    "quoted empty cells": (
        'id␟name␟city␤1␟""␟""␤2␟Bob␟Oslo␤',
        ["id", "name", "city"],
        [(2, ["1", "", ""]), (3, ["2", "Bob", "Oslo"])],
    ),
    "mixed line ends": (
        "id␟name␤1␟Anna\n2␟Bob\r\n3␟Carl␤4␟Dora␤5␟Emil␤",
        ["id", "name"],
        [
            (2, ["1", "Anna"]),
            (3, ["2", "Bob"]),
            (4, ["3", "Carl"]),
            (5, ["4", "Dora"]),
            (6, ["5", "Emil"]),
        ],
    ),
    "quotes here and there": (
        '"id"␟name ␟"city"␤1␟"Anna"␟Rome␤"2"␟Bob␟"Oslo"␤',
        ["id", "name ", "city"],
        [(2, ["1", "Anna", "Rome"]), (3, ["2", "Bob", "Oslo"])],
    ),
    "space before quotes": (
        'id, "name", "city"␤1, "Anna, Dr.", "Rome"␤2, "Bob", "Oslo"␤',
        ["id", "name", "city"],
        [(2, ["1", "Anna, Dr.", "Rome"]), (3, ["2", "Bob", "Oslo"])],
    ),
}


def quirk_cases() -> Iterator[Case]:
    for delimiter_name, delimiter in DELIMITERS.items():
        for end_name, end in LINE_ENDS.items():
            where = f"{delimiter_name} {end_name}"
            for name, quirk in QUIRKS.items():
                yield _quirk(f"{name} {where}", quirk, delimiter, end, exact=True)
            for name, quirk in INEXACT.items():
                if "," not in quirk[0] or delimiter == ",":
                    yield _quirk(f"{name} {where}", quirk, delimiter, end, exact=False)
            yield _with_sep_line(f"sep line {where}", delimiter, end)


def _quirk(
    name: str,
    quirk: tuple[str, list[str], list[tuple[int, list[str]]]],
    delimiter: str,
    end: str,
    *,
    exact: bool,
) -> Case:
    template, header, rows = quirk
    return Case(
        name=name,
        content=_filled(template, delimiter, end).encode(),
        encoding="utf-8",
        delimiter=delimiter,
        line_end=end,
        header=header,
        rows=[
            (number, line, [_filled(cell, delimiter, end) for cell in row])
            for number, (line, row) in enumerate(rows, start=1)
        ],
        exact=exact,
    )


def _filled(template: str, delimiter: str, end: str) -> str:
    return template.replace("␟", delimiter).replace("␤", end)


def _with_sep_line(name: str, delimiter: str, end: str) -> Case:
    text = _filled("sep=␟␤id␟name␤1␟Anna␤", delimiter, end)
    return Case(
        name=name,
        content=text.encode(),
        encoding="utf-8",
        delimiter=delimiter,
        line_end=end,
        header=["id", "name"],
        rows=[(1, 3, ["1", "Anna"])],
        finding={"sep_line": True},
    )


STYLES = {
    "all quoted": ('"id"␟"note"␟"x"␤"1"␟"a␟b"␟"c"␤"2"␟"say ""hi"""␟""␤', {"quoting": "all"}),
    "text quoted": ('"id"␟"note"␟"x"␤1␟"a␟b"␟"c"␤2␟"say ""hi"""␟"z"␤', {"quoting": "text"}),
    "as needed": ('id␟note␟x␤1␟"a␟b"␟c␤2␟"say ""hi"""␟z␤', {"quoting": "minimal"}),
    "single quotes": ("'id'␟'note'␟'x'␤'1'␟'a␟b'␟'c'␤'2'␟'say ''hi'''␟''␤", {"quote": "'"}),
    "backslashes": ('id␟note␟x␤1␟"a␟b"␟c␤2␟"say \\"hi\\""␟z␤', {"doubled": False}),
    "backslashes, all quoted": (
        '"id"␟"note"␟"x"␤"1"␟"a␟b"␟"c"␤"2"␟"say \\"hi\\""␟"z"␤',
        {"doubled": False, "quoting": "all"},
    ),
    "backslashes without quotes": (
        "id␟note␟x␤1␟a\\␟b␟c␤2␟a\\␟\\␟␟z␤3␟c␟d␤",
        {"doubled": False, "quote": ""},
    ),
}
_NOTES = {
    "single quotes": ["say 'hi'", ""],
    "all quoted": ['say "hi"', ""],
}


def quoting_cases() -> Iterator[Case]:
    for style, (template, finding) in STYLES.items():
        for delimiter_name, delimiter in DELIMITERS.items():
            for end_name, end in LINE_ENDS.items():
                rows = [["1", f"a{delimiter}b", "c"], ["2", *_NOTES.get(style, ['say "hi"', "z"])]]
                if finding.get("quote") == "":
                    rows = [rows[0], ["2", f"a{delimiter}{delimiter}", "z"], ["3", "c", "d"]]
                yield Case(
                    name=f"{style} {delimiter_name} {end_name}",
                    content=_filled(template, delimiter, end).encode(),
                    encoding="utf-8",
                    delimiter=delimiter,
                    line_end=end,
                    header=["id", "note", "x"],
                    rows=[(number, number + 1, row) for number, row in enumerate(rows, start=1)],
                    finding=finding,
                )


def rare_delimiter_cases() -> Iterator[Case]:
    """Delimiters that are seldom, in a file with nothing else that could be one."""
    for delimiter in (":", "^", "~", "!", "¦", "§", "\x1f", "\x01", " "):
        for end_name, end in LINE_ENDS.items():
            yield Case(
                name=f"rare {delimiter!r} {end_name}",
                content=_filled("a␟b␟c␤1␟2␟3␤4␟5␟6␤", delimiter, end).encode(),
                encoding="utf-8",
                delimiter=delimiter,
                line_end=end,
                header=["a", "b", "c"],
                rows=[(1, 2, ["1", "2", "3"]), (2, 3, ["4", "5", "6"])],
            )
