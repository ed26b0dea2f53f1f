"""The few errors that cross rooms. Each message is a sentence for the person who asked."""


class PortalError(Exception):
    """Something a person asked for cannot be done; the message says why and what to do."""


class NotFoundError(PortalError):
    """There is no such thing, or the actor may not know that there is."""


class ForbiddenError(PortalError):
    """The actor may see the thing, but not do this with it."""


class InvalidError(PortalError):
    """The input is not acceptable as it is; the message says what would be."""


class ConflictError(PortalError):
    """The thing is in a state in which this cannot be done now."""
