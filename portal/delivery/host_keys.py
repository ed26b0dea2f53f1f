"""Keys of SFTP servers and users, as text. Pure."""

import base64
import binascii
import hashlib

from portal.delivery.faults import HostKeyError

PRIVATE_KEY = "-----BEGIN "


def fingerprint(key: str) -> str:
    """What people compare: the key's kind and SHA-256, as `ssh-keygen -l` shows it."""
    kind, _, encoded = key.partition(" ")
    try:
        digest = hashlib.sha256(base64.b64decode(encoded)).digest()
    except binascii.Error:
        return kind
    return f"{kind} SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def check_key(shown: str, *, approved: str) -> None:
    """Raise HostKeyError unless the key that was shown is the one that was approved."""
    if shown == approved:
        return
    if not approved:
        raise HostKeyError(
            f"The server shows the key {fingerprint(shown)}. Compare it with what its operator "
            "says, and approve it.",
            shown=shown,
        )
    raise HostKeyError(
        f"The server's key has changed: approved is {fingerprint(approved)}, it shows "
        f"{fingerprint(shown)}. Somebody may stand between; ask its operator before you approve "
        "the new one.",
        shown=shown,
    )
