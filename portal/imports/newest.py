"""Files that are expected by a pattern: the newest one that fits, and only one that is new."""

from dataclasses import replace
from pathlib import PurePosixPath

from portal.artifacts.sources import FileSources
from portal.errors import NotFoundError
from portal.imports.addresses import is_address
from portal.imports.contents import path_meant
from portal.imports.offered import file_meant, is_offered
from portal.imports.orders import ImportOrder
from portal.imports.repeated import find_earlier
from portal.imports.words import MISSING
from portal.jobs.work import Work
from portal.rows.copies import Source


def with_file_meant(work: Work, order: ImportOrder, sources: FileSources) -> ImportOrder:
    """The order with the very file that its path means; raises as `path_meant`, `file_meant`."""
    if not order.path or is_address(order.path):
        return order
    path = _path_meant(work, order.path, sources)
    if path == order.path:
        return order
    return replace(order, path=path, file_name=PurePosixPath(path).name)


def check_is_new(
    work: Work, order: ImportOrder, source: Source, *, pattern: str, place: str
) -> None:
    """Raise NotFoundError where the file of a pattern was imported before; its copy goes then.

    Else a schedule would import an old file again whenever the new one is late.
    """
    if pattern == order.path:
        return
    with work.runtime.reads() as session:
        mode = order.mode.rows_mode
        earlier = find_earlier(
            session, table=order.table, mode=mode, sha256=source.sha256, place=place
        )
    if earlier is not None:
        source.path.unlink(missing_ok=True)
        told = f"no new file is called like {pattern}. Of {order.file_name}: {earlier.warning}"
        raise NotFoundError(MISSING.format(path=told))


def _path_meant(work: Work, path: str, sources: FileSources) -> str:
    if not is_offered(path):
        return path_meant(work.runtime.settings, path)
    with work.runtime.reads() as session:
        return file_meant(sources, session, actor=work.actor, path=path)
