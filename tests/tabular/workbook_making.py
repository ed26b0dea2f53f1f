"""Workbooks made part by part, so that they can be as odd as no program makes them."""

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

WORKBOOKS = Path(__file__).parent / "workbooks"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
ODF = "urn:oasis:names:tc:opendocument:xmlns"
NAMESPACES = " ".join(
    f'xmlns:{name}="{ODF}:{name}:1.0"' for name in ("office", "table", "text", "style")
)


def cell(text: str, reference: str = "") -> str:
    """An inline text cell; `reference` such as B7, none where it follows the one before."""
    place = f' r="{reference}"' if reference else ""
    return f'<c{place} t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def text_row(*texts: str) -> str:
    return f"<row>{''.join(map(cell, texts))}</row>"


def sheet_xml(rows: str) -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def make_xlsx(path: Path, rows: str = "", *, packed: bool = True, **parts: str | bytes) -> Path:
    """A workbook of one sheet; `parts` replace or add some, `sheet`, `sharedStrings`, `styles`,
    `workbook` by their short names."""
    sheets = '<sheet name="Sheet1" sheetId="1" r:id="rId1"/>'
    kinds = ("worksheet", "sharedStrings", "styles")
    targets = ("worksheets/sheet1.xml", "sharedStrings.xml", "styles.xml")
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(zip(kinds, targets, strict=True), start=1)
    )
    content: dict[str, str | bytes] = {
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" '
        f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{related}</Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">'
        f"<sheets>{sheets}</sheets></workbook>",
        "xl/worksheets/sheet1.xml": sheet_xml(rows),
    }
    names = {
        "sheet": "xl/worksheets/sheet1.xml",
        "sharedStrings": "xl/sharedStrings.xml",
        "styles": "xl/styles.xml",
        "workbook": "xl/workbook.xml",
    }
    content |= {names.get(name, name): part for name, part in parts.items()}
    return zip_of(path, content, packed=packed)


def make_ods(path: Path, rows: str, *, before: str = "") -> Path:
    """An ODS file of one table; `before` stands in front of its tables."""
    body = f'<table:table table:name="Sheet1">{rows}</table:table>'
    xml = (
        f"<office:document-content {NAMESPACES}>{before}<office:body><office:spreadsheet>"
        f"{body}</office:spreadsheet></office:body></office:document-content>"
    )
    return zip_of(path, {"content.xml": xml})


def ods_row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def ods_cell(text: str, attributes: str = 'office:value-type="string"') -> str:
    return f"<table:table-cell {attributes}><text:p>{escape(text)}</text:p></table:table-cell>"


def zip_of(path: Path, content: dict[str, str | bytes], *, packed: bool = True) -> Path:
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return path
