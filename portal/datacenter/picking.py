"""Which file, job, batch or processor somebody means who types a name or an id."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.datacenter.batches import KINDS, find_batch_of
from portal.datacenter.disk import find_entry
from portal.datacenter.folders import DataCenter, DataCenterFile
from portal.datacenter.names import disk_name, is_data
from portal.datacenter.orders import Asking
from portal.datacenter.runs import KIND
from portal.datacenter.steps import Folder
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.jobs.models import Job
from portal.jobs.service import SHORTEST_PREFIX, get_job
from portal.rows.batch import Batch
from portal.rows.batch_row import batch_of
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Processor
from portal.rows.undertaking import check_right


@dataclass(frozen=True, kw_only=True)
class Picked:
    """A file and the folder in which it lies."""

    folder: Folder
    file: DataCenterFile


@dataclass(frozen=True, kw_only=True)
class PickedRun:
    """A job of the data centre and the batch that it works on; one of them may be missing."""

    job: Job | None
    batch: Batch | None


def pick_file(center: DataCenter, typed: str, *, folders: Sequence[Folder]) -> Picked:
    """The file that lies in one of `folders` under this name, on disk or as people know it.

    Its folder may be written before it: `deleted/x.csv`. Raises NotFoundError, InvalidError where
    several are called so, and ConflictError where it may not be whole yet.
    """
    start, slash, rest = typed.partition("/")
    named = [folder for folder in folders if slash and folder == start]
    name, where = (rest, named) if named else (typed, list(folders))
    found = [
        Picked(folder=folder, file=file) for folder in where for file in center.get_files(folder)
    ]
    exact = [one for one in found if one.file.name == name]
    fitting = exact or [one for one in found if one.file.shown == name]
    if len(fitting) > 1:
        names = ", ".join(f"{one.folder}/{one.file.name}".lstrip("/") for one in fitting)
        raise InvalidError(f"Several files are called {name}; say which: {names}.")
    if not fitting:
        _refuse_unsettled(center, name, where)
        raise NotFoundError(f"There is no file {name} {_places(where)}.")
    return fitting[0]


def pick_run(session: Session, *, asking: Asking, typed: str) -> PickedRun:
    """The job or batch with this id or a unique beginning of it; raises NotFoundError."""
    job = _find_job(session, asking, typed)
    if job is not None:
        return PickedRun(job=job, batch=find_batch_of(session, job))
    batch = find_batch(session, typed)
    if batch is None:
        raise NotFoundError(
            f"The data centre has no job or batch {typed!r}; give its id or a unique beginning of "
            f"at least {SHORTEST_PREFIX} characters."
        )
    its = select(Job).where(Job.id == batch.job_id)
    return PickedRun(job=session.scalar(its), batch=batch)


def pick_processor(asking: Asking, name: str) -> Processor:
    """The processor called `name`, with the modes that the actor may use; else NotFoundError.

    Raises ForbiddenError where everybody knows of it, but not everybody may use it.
    """
    for processor in asking.processors.offered(asking.actor):
        if processor.name == name:
            return processor
    check_right(asking.actor, asking.processors.get(name))
    raise NotFoundError(f"There is no processor called {name!r}.")


def find_batch(session: Session, beginning: str) -> Batch | None:
    """The data centre's one batch whose id begins so; None for none or several."""
    if len(beginning) < SHORTEST_PREFIX:
        return None
    table = PORTAL_LEDGER.batch
    like_it = table.c.id.startswith(beginning, autoescape=True)
    rows = session.execute(select(table).where(table.c.kind == KIND, like_it).limit(2)).all()
    return batch_of(rows[0]) if len(rows) == 1 else None


def _find_job(session: Session, asking: Asking, typed: str) -> Job | None:
    try:
        job = get_job(session, kinds=asking.kinds, actor=asking.actor, job_id=typed)
    except NotFoundError:
        return None
    return job if job.kind in KINDS else None


def _refuse_unsettled(center: DataCenter, name: str, folders: Sequence[Folder]) -> None:
    if Folder.ROOT not in folders or not name.strip():
        return
    lying = find_entry(center.storage / disk_name(name))
    if lying is not None and is_data(lying.name):
        raise ConflictError(f"{name} came a moment ago and may not be whole yet; try again soon.")


def _places(folders: Sequence[Folder]) -> str:
    if Folder.ROOT in folders:
        return "waiting in the data centre; `portal datacenter list` shows those that do"
    return f"in {' or '.join(folders)}"
