"""Keys of SFTP servers and users, as text. Pure."""

import base64
import binascii
import hashlib

from portal.delivery.faults import HostKeyError

PRIVATE_KEY = "-----BEGIN "
CERTIFICATE = "x509"


def fingerprint(key: str) -> str:
    """What people compare: the key's kind and SHA-256, as `ssh-keygen -l` shows it.

    That of a certificate is as `openssl x509 -fingerprint -sha256` shows it.
    """
    kind, _, encoded = key.partition(" ")
    try:
        digest = hashlib.sha256(base64.b64decode(encoded)).digest()
    except binascii.Error:
        return kind
    if kind == CERTIFICATE:
        return f"certificate SHA256:{digest.hex(':').upper()}"
    return f"{kind} SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def certificate_text(der: bytes | None) -> str:
    """The certificate of an FTPS server, as a key that can be approved."""
    return f"{CERTIFICATE} {base64.b64encode(der or b'').decode()}"


def check_key(shown: str, *, approved: str) -> None:
    """Raise HostKeyError unless the key that was shown is the one that was approved."""
    if shown == approved:
        return
    word = "certificate" if shown.startswith(CERTIFICATE) else "key"
    if not approved:
        raise HostKeyError(
            f"The server shows the {word} {_plain(shown)}. Compare it with what its operator "
            "says, and approve it.",
            shown=shown,
        )
    raise HostKeyError(
        f"The server's {word} has changed: approved is {_plain(approved)}, it shows "
        f"{_plain(shown)}. Somebody may stand between; ask its operator before you approve "
        "the new one.",
        shown=shown,
    )


def _plain(key: str) -> str:
    return fingerprint(key).removeprefix("certificate ")
