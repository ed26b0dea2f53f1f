"""What endpoints may be told: passwords, encodings, certificates, limits."""

import codecs
import ssl
from typing import TYPE_CHECKING

from portal.delivery.addresses import Transport, check_text
from portal.delivery.host_keys import PRIVATE_KEY
from portal.errors import InvalidError
from portal.later import later

if TYPE_CHECKING:
    from portal.delivery.sftp import private_key
else:
    private_key = later("portal.delivery.sftp:private_key")

MOST_CONNECTIONS = 16
LEAST_RATE = 1000


def checked_secret(secret: str, transport: Transport) -> str:
    """The password or private key; raises InvalidError where it can be none."""
    if secret.startswith(PRIVATE_KEY):
        if transport is not Transport.SFTP:
            raise InvalidError("A private key signs in to SFTP only.")
        private_key(secret)
        return secret
    return check_text(secret, "password")


def known_encoding(name: str) -> str:
    """The name of an encoding that exists; raises InvalidError."""
    try:
        return codecs.lookup(name.strip() or "utf-8").name
    except LookupError as error:
        raise InvalidError(f"There is no encoding {name!r}; most servers use utf-8.") from error


def checked_certificates(text: str) -> str:
    """Certificates in their PEM form; raises InvalidError."""
    plain = text.strip()
    if not plain:
        return ""
    try:
        ssl.create_default_context(cadata=plain)
    except (ssl.SSLError, ValueError) as error:
        raise InvalidError("This is no certificate; paste it in its PEM form.") from error
    return plain


def check_numbers(*, connections: int, rate_limit: int | None) -> None:
    """Raise InvalidError where a limit makes no sense."""
    if not 1 <= connections <= MOST_CONNECTIONS:
        raise InvalidError(f"There can be 1 to {MOST_CONNECTIONS} connections at once.")
    if rate_limit is not None and rate_limit < LEAST_RATE:
        raise InvalidError(f"A limit is {LEAST_RATE} bytes a second or more; or leave it empty.")
