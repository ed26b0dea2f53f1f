"""Encrypting with Fernet keys, of which the first encrypts and all decrypt.

Loaded when something is first encrypted or decrypted, for most processes never do.
"""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


def seal(keys: Sequence[str], text: str) -> str:
    """`text`, encrypted with the first key."""
    return _fernet(keys).encrypt(text.encode()).decode()


def unseal(keys: Sequence[str], sealed: str) -> str | None:
    """The text again; None where no key fits."""
    try:
        return _fernet(keys).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def new_key() -> bytes:
    """A key made of chance."""
    return Fernet.generate_key()


def _fernet(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
