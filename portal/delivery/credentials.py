"""Passwords and private keys at rest: encrypted, with keys that can be changed.

The first key of PORTAL_CREDENTIAL_KEYS encrypts, all decrypt. Without the setting a key is made
and kept in the data folder.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portal.delivery.faults import DeliveryError, Reason
from portal.files import write_private
from portal.later import later
from portal.settings import Settings

if TYPE_CHECKING:
    from portal.delivery.sealing import new_key, seal, unseal
else:
    new_key = later("portal.delivery.sealing:new_key")
    seal = later("portal.delivery.sealing:seal")
    unseal = later("portal.delivery.sealing:unseal")


class Vault:
    """Encrypts and decrypts with the keys of one portal."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)

    def lock(self, secret: str) -> str:
        """The secret, encrypted with the first key; nothing stays nothing."""
        return seal(self._keys, secret) if secret else ""

    def open(self, locked: str) -> str:
        """The secret again. Raises DeliveryError where no key fits."""
        secret = unseal(self._keys, locked) if locked else ""
        if secret is None:
            raise _no_key()
        return secret

    def renew(self, locked: str) -> str:
        """The same secret, encrypted with the first key. Raises DeliveryError."""
        return self.lock(self.open(locked))


def open_vault(settings: Settings) -> Vault:
    """The vault of a portal; makes its key where there is none."""
    return Vault(settings.credential_keys or (_kept_key(settings),))


def _kept_key(settings: Settings) -> str:
    path = settings.data / "credential_key"
    if not path.exists():
        write_private(path, new_key(), overwrite=False)
    return path.read_text().strip()


def _no_key() -> DeliveryError:
    return DeliveryError(
        Reason.AUTHENTICATION,
        "The password was encrypted with a key that PORTAL_CREDENTIAL_KEYS does not name; "
        "name the earlier key too, or enter the password anew.",
    )
