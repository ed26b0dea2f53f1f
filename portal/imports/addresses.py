"""Files at https addresses: which addresses are allowed, and how their files are called. Pure."""

from collections.abc import Callable
from email.message import Message
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from portal.addresses import Ip, gives_keys, is_translated
from portal.errors import ForbiddenError, InvalidError
from portal.imports.words import ENDINGS
from portal.settings import Settings

HTTPS = "https://"
PORT = 443
MayConnect = Callable[[Ip], bool]
_ENDINGS_OF: Final = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
}


def is_address(path: str) -> bool:
    """Whether a path is meant as an address of the web."""
    return "://" in path


def check_address(settings: Settings, address: str) -> SplitResult:
    """The parts of an address from which files may be fetched.

    Raises InvalidError where it is none, and ForbiddenError for hosts that are not allowed.
    """
    if any(char.isspace() or not char.isprintable() for char in address):
        raise InvalidError("An address has no blanks; write %20 for one.")
    try:
        parts = urlsplit(address)
        port, host = parts.port or PORT, parts.hostname or ""
    except ValueError:
        raise InvalidError(f"{address!r} is no address.") from None
    if parts.scheme != "https" or not host:
        raise InvalidError("Files are fetched from addresses that begin with https:// only.")
    if parts.username is not None:
        raise InvalidError("Leave user and password out of the address; it is shown to others.")
    if not any(_names(rule, host=host, port=port) for rule in settings.imports_hosts):
        raise ForbiddenError(
            f"{host} is no host from which files are fetched (PORTAL_IMPORTS_HOSTS)."
        )
    return parts


def name_in(address: str) -> str:
    """The name of the file at an address, as the address says it."""
    return PurePosixPath(unquote(urlsplit(address).path)).name


def name_of(address: str, headers: Message) -> str:
    """The name of a file that was answered: of its address, else as the server calls it.

    Where neither has a known ending, the type that the server names gives one.
    """
    said = PurePosixPath((headers.get_filename() or "").replace("\\", "/")).name
    names = [name for name in (name_in(address), said) if name]
    known = [name for name in names if PurePosixPath(name).suffix.lower() in ENDINGS]
    ending = _ENDINGS_OF.get(headers.get_content_type(), "")
    return known[0] if known else f"{names[0] if names else 'file'}{ending}"


def is_public(ip: Ip) -> bool:
    """Whether an address belongs to the open net: to no machine or network of our own, and to no
    service that hands out a cloud's keys.
    """
    odd = ip.is_multicast or ip.is_reserved or gives_keys(ip) or is_translated(ip)
    return ip.is_global and not odd


def _names(rule: str, *, host: str, port: int) -> bool:
    named, _, numbered = rule.lower().partition(":")
    return named.rstrip(".") == host.lower().rstrip(".") and int(numbered or PORT) == port
