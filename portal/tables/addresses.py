"""How tables are named in addresses, whatever characters their names have. Pure."""

import base64
import binascii
import re

_PLAIN = re.compile(r"\w[\w.-]*", re.ASCII)


def address_of(table: str) -> str:
    """The part of an address that stands for `table`."""
    if _PLAIN.fullmatch(table):
        return table
    return "~" + base64.urlsafe_b64encode(table.encode()).decode().rstrip("=")


def table_at(address: str) -> str:
    """The table that a part of an address stands for; what stands for none is no table's name."""
    if not address.startswith("~"):
        return address
    coded = address[1:]
    try:
        return base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
