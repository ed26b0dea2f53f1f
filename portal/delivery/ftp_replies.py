"""What replies and faults of FTP mean. Pure."""

import re
import ssl
from ftplib import Error, error_perm, error_proto, error_reply, error_temp

from portal.delivery.faults import AbsentError, DeliveryError, LostError, Reason

_CODE = re.compile(r"\d{3}")
_SPACE = re.compile(r"no space|disk full|quota|insufficient storage|exceeded", re.IGNORECASE)
_ABSENT = re.compile(
    r"no such|not found|n.t exist|does not exist|failed to open|could not get file|can.t check"
    r"|not retrievable|no files",
    re.IGNORECASE,
)
_PERMISSION = re.compile(r"permission|denied|not allowed|prohibited|enough privileg", re.IGNORECASE)
_BY_CODE = {
    "421": Reason.NETWORK,
    "425": Reason.NETWORK,
    "426": Reason.NETWORK,
    "450": Reason.PERMISSION,
    "451": Reason.NETWORK,
    "452": Reason.SPACE,
    "530": Reason.AUTHENTICATION,
    "532": Reason.AUTHENTICATION,
    "552": Reason.SPACE,
    "553": Reason.PERMISSION,
}
# A broken line; with 421 the server ends the connection itself.
BROKEN = (EOFError, OSError, error_proto)
FAULTS = (*BROKEN, Error, ValueError)


def code_of(error: BaseException) -> str:
    """The three digits of a reply that was raised, empty where there was none."""
    found = _CODE.match(str(error)) if isinstance(error, Error) else None
    return found.group() if found else ""


def fault_of(error: BaseException, *, doing: str) -> DeliveryError:
    """What a fault of ftplib means for who was `doing` something."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return DeliveryError(
            Reason.AUTHENTICATION,
            f"The server's certificate is not trusted ({error.verify_message}). Enter the "
            "certificate of the authority that issued it, if that is right.",
        )
    if isinstance(error, UnicodeError):
        return DeliveryError(
            Reason.REFUSED_NAME, f"{doing}: the name cannot be written in the server's encoding."
        )
    if isinstance(error, (error_perm, error_temp, error_reply)) and code_of(error) != "421":
        return _refusal(error, doing)
    return LostError(f"{doing}: {_broken(error)}")


def reason_of(code: str, text: str) -> Reason:
    """The class of a refusal. Codes are used in many ways, so words count first."""
    if _SPACE.search(text):
        return Reason.SPACE
    if code in _BY_CODE and code not in ("450", "553"):
        return _BY_CODE[code]
    if _PERMISSION.search(text):
        return Reason.PERMISSION
    if _ABSENT.search(text):
        return Reason.NOT_FOUND
    return _BY_CODE.get(code, Reason.NETWORK if code.startswith("4") else Reason.PERMISSION)


def _refusal(error: BaseException, doing: str) -> DeliveryError:
    said = " ".join(str(error).split())[:300]
    reason = reason_of(code_of(error), said)
    message = f"{doing}: the server said “{said}”."
    return AbsentError(message) if reason == Reason.NOT_FOUND else DeliveryError(reason, message)


def _broken(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "the server stopped answering."
    if isinstance(error, ssl.SSLError):
        return f"the encryption broke ({error.reason or 'no reason given'})."
    if isinstance(error, error_proto):
        return "the server answered something that is no FTP."
    if isinstance(error, EOFError) or code_of(error) == "421":
        return "the server closed the connection."
    return f"the connection broke ({getattr(error, 'strerror', None) or type(error).__name__})."
