"""What can go wrong on the way to a server, in classes that say whether trying again helps."""

from enum import StrEnum

from portal.errors import PortalError


class Reason(StrEnum):
    """The class of a failure."""

    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    SPACE = "space"
    NOT_FOUND = "not found"
    NETWORK = "network"
    INTEGRITY = "integrity"
    REFUSED_NAME = "refused name"


class DeliveryError(PortalError):
    """A server did not do what it was asked; `reason` is the class, the message says what to do."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class LostError(DeliveryError):
    """The line broke or no reply came: the last step may have been done or not."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.NETWORK, message)


class AbsentError(DeliveryError):
    """The server has no such file or folder."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.NOT_FOUND, message)


class HostKeyError(DeliveryError):
    """The SFTP server showed a key that nobody approved; `shown` is that key."""

    def __init__(self, message: str, *, shown: str) -> None:
        super().__init__(Reason.AUTHENTICATION, message)
        self.shown = shown
