"""What a file is, told from its first bytes, and what to say if its name promises another. Pure."""

from collections.abc import Collection

from portal.tabular.sheets.biff import SIGNATURE
from portal.tabular.sheets.errors import locked
from portal.tabular.table import TableError

HEAD = 4096
ZIP = b"PK"
_BLANK = b"\xef\xbb\xbf \t\r\n"
_OLD_XML = b"urn:schemas-microsoft-com:office:spreadsheet"
_NAMES = {
    "xlsx": "an Excel workbook (.xlsx)",
    "xls": "an Excel workbook of the old kind (.xls)",
    "ods": "an OpenDocument spreadsheet (.ods)",
}


def check_signature(head: bytes, kind: str) -> None:
    """Raise TableError where the first bytes of a file are those of no workbook at all."""
    if not head:
        raise TableError("The file is empty.")
    if not head.startswith((SIGNATURE, ZIP)):
        raise TableError(f"The file is not {_NAMES[kind]}: {_what(head)}")


def check_streams(names: Collection[str], kind: str) -> None:
    """Raise TableError where the streams of a compound file are not those of a `kind`."""
    if "EncryptedPackage" in names:
        raise locked()
    if not {"Workbook", "Book"} & set(names):
        raise TableError(f"The file is not {_NAMES[kind]}: it is another old Office document.")
    if kind != "xls":
        raise TableError(f"The file is {_NAMES['xls']}, not .{kind}. {_advice('xls')}")


def check_parts(names: Collection[str], kind: str) -> None:
    """Raise TableError where the parts of a zip file are not those of a `kind`."""
    found = _kind_of_parts(names)
    if found == kind:
        return
    if found in _NAMES:
        raise TableError(f"The file is {_NAMES[found]}, not .{kind}. {_advice(found)}")
    raise TableError(f"The file is not {_NAMES[kind]}: {found}")


def _advice(kind: str) -> str:
    return f"Give it the right name (such as .{kind}) and upload it again."


def _what(head: bytes) -> str:
    start = head.lstrip(_BLANK)[:512].lower()
    if head.startswith(b"%PDF"):
        return "it is a PDF document."
    if _OLD_XML in head:
        return "it is XML of Excel 2003. Open it and save it as .xlsx."
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<head", b"<meta", b"<style")):
        return "it is a web page (HTML). Open it in a spreadsheet program and save it as .xlsx."
    if start.startswith(b"<"):
        return "it is XML or a web page. Open it in a spreadsheet program and save it as .xlsx."
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is no spreadsheet, or damaged."
    return "it is plain text. Name it .csv, or .tsv if tabs part its cells, and upload it again."


def _kind_of_parts(names: Collection[str]) -> str:
    if "xl/workbook.bin" in names:
        return "it is a binary workbook (.xlsb). Save it as .xlsx."
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    if "content.xml" in names:
        return "ods"
    if any(name.startswith(("word/", "ppt/")) for name in names):
        return "it is another Office document."
    return "it is a zip file of other things."
