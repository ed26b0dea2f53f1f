"""Which fault is a row's own, and what it is told then; what is not goes on its way."""

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from portal.errors import PortalError
from portal.rows.fates import Fate, failed
from portal.rows.processors import RefusedRowError
from portal.rows.undertaking import Undertaking

UNEXPECTED = "Something went wrong inside Portal with this row; an administrator can see why."

log = structlog.get_logger("portal.rows")


def fate_of_fault(fault: Exception, run: Undertaking) -> Fate:
    """The fate of a row for which `fault` was raised; raises it again where the row is innocent."""
    if isinstance(fault, RefusedRowError):
        return failed(run.told(fault), field=fault.field)
    if isinstance(fault, PortalError):
        return failed(str(fault))
    if isinstance(fault, DBAPIError) and not _gone(fault):
        return failed(_said(fault))
    if isinstance(fault, (DBAPIError, OSError, MemoryError)):
        raise fault
    log.error("row failed", batch=run.batch.id, exc_info=fault)
    return failed(UNEXPECTED)


def _gone(fault: DBAPIError) -> bool:
    """Whether the database failed, not the row."""
    return fault.connection_invalidated or isinstance(fault, (OperationalError, InterfaceError))


def _said(fault: DBAPIError) -> str:
    """The driver's own words, without the statement and its values."""
    lines = [line.strip() for line in str(fault.orig).splitlines() if line.strip()]
    return " ".join(lines) or type(fault.orig).__name__
