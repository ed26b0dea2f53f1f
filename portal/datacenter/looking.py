"""A file of the data centre as somebody looks at it before it is processed."""

from collections.abc import Sequence

from portal.datacenter.folders import DataCenterFile
from portal.datacenter.names import find_pending
from portal.rows import looking
from portal.rows.looking import Known, Look, Wish
from portal.rows.processors import Processor


def look(
    file: DataCenterFile,
    *,
    wish: Wish,
    processors: Sequence[Processor],
    known: Known = lambda _header, _processor, _mode: None,
) -> Look:
    """Look at `file`; the rows that failed in a mode are for that mode only.

    Raises InvalidError where the file is none of rows, or a choice is none.
    """
    pending = find_pending(file.name)
    return looking.look(
        file.path,
        name=file.name,
        wish=wish,
        processors=processors,
        known=known,
        mode=pending.mode if pending else "",
    )
