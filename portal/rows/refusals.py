"""What a service refuses, as the refusal of one row."""

from collections.abc import Iterator
from contextlib import contextmanager

from portal.errors import ForbiddenError, PortalError
from portal.rows.processors import RefusedRowError

PARENTS = "Not all parents do exist yet."
EXISTS = "This object already exists."
NO_UPDATE = "Cannot update: no such entry"
NO_REMOVE = "Cannot remove: no such entry"


@contextmanager
def row_refused(*, field: str = "") -> Iterator[None]:
    """Let a PortalError of a service stand at `field`; a missing right concerns the whole row."""
    try:
        yield
    except RefusedRowError:
        raise
    except PortalError as error:
        place = "" if isinstance(error, ForbiddenError) else field
        raise RefusedRowError(str(error), field=place) from error
