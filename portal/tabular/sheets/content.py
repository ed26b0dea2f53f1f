"""What a file is, told from its first bytes, and what to say if its name promises another. Pure."""

from portal.tabular.sheets.biff import SIGNATURE
from portal.tabular.table import TableError

HEAD = 4096
_ZIP = b"PK\x03\x04"
_OLD_XML = b"urn:schemas-microsoft-com:office:spreadsheet"
_NAMES = {
    "xlsx": "an Excel workbook (.xlsx)",
    "xls": "an Excel workbook of the old kind (.xls)",
    "ods": "an OpenDocument spreadsheet (.ods)",
}


def check_signature(head: bytes, kind: str) -> None:
    """Raise TableError where the first bytes of a file are those of another kind than `kind`."""
    if not head:
        raise TableError("The file is empty.")
    found = _family(head)
    if found == ("compound" if kind == "xls" else "zip"):
        return
    if found == "compound":
        raise TableError(
            f"The file is not {_NAMES[kind]}: it is one of the old kind (.xls), or protected by a"
            " password. Save it as .xlsx without a password."
        )
    if found == "zip":
        raise TableError(f"The file is not {_NAMES[kind]}, but of a newer kind. {_advice('xlsx')}")
    raise TableError(f"The file is not {_NAMES[kind]}: {found}")


def check_parts(names: list[str], kind: str) -> None:
    """Raise TableError where the parts of a zip file are not those of a `kind`."""
    found = _kind_of_parts(names)
    if found == kind:
        return
    if found in _NAMES:
        raise TableError(f"The file is {_NAMES[found]}, not .{kind}. {_advice(found)}")
    raise TableError(f"The file is not {_NAMES[kind]}: {found}")


def _advice(kind: str) -> str:
    return f"Give it the right name (such as .{kind}) and upload it again."


def _family(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    if head.startswith(SIGNATURE):
        return "compound"
    if head.startswith(_ZIP):
        return "zip"
    if head.startswith(b"%PDF"):
        return "it is a PDF document."
    if _OLD_XML in head:
        return "it is XML of Excel 2003. Open it and save it as .xlsx."
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<head", b"<meta", b"<style")):
        return "it is a web page (HTML). Open it in a spreadsheet program and save it as .xlsx."
    return _of_text(head)


def _of_text(head: bytes) -> str:
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is no spreadsheet at all, or damaged."
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "it is XML or a web page. Open it in a spreadsheet program and save it as .xlsx."
    return "it is plain text. Name it .csv, or .tsv if tabs part its cells, and upload it again."


def _kind_of_parts(names: list[str]) -> str:
    if "xl/workbook.bin" in names:
        return "it is a binary workbook (.xlsb). Save it as .xlsx."
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    if "content.xml" in names:
        return "ods"
    if any(name.startswith(("word/", "ppt/")) for name in names):
        return "it is another Office document."
    return "it is a zip file of other things."
