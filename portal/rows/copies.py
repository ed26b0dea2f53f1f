"""The copies that batches read: never changed, kept for a time, wherever they came from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.rows.batch import Batch
from portal.rows.books import Books, open_books
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Store
from portal.runtime import Runtime
from portal.settings import Settings

ABANDONED_SECONDS = 86_400.0
AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class Source:
    """A copy that nobody changes; `sha256` in hex."""

    path: Path
    size: int
    sha256: str


def sources_folder(settings: Settings) -> Path:
    """Where the copies of all batches are kept."""
    return settings.data / "batches"


def find_batch_id(session: Session, *, job_id: str) -> str | None:
    """The batch on which this job works, or for which it made the copy: another took over.

    A job that is tried again must not begin the same file anew.
    """
    table = PORTAL_LEDGER.batch
    works = select(table.c.id).where(table.c.job_id == job_id)
    copied = select(table.c.id).where(table.c.file_path.contains(f"/{job_id}-", autoescape=True))
    return session.scalar(works) or session.scalar(copied)


def sweep_sources(runtime: Runtime) -> int:
    """Remove copies that no batch reads any more; returns how many."""
    folder = sources_folder(runtime.settings)
    if not folder.is_dir():
        return 0
    before = runtime.clock().timestamp() - ABANDONED_SECONDS
    old = [path for path in folder.iterdir() if path.lstat().st_mtime < before]
    with runtime.reads() as session:
        wanted = {source.path.name for source in kept_sources(session, runtime.settings)}
    gone = [path for path in old if path.name not in wanted]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def remove_copies(runtime: Runtime, batches: Iterable[Batch]) -> None:
    """Remove the copies of batches that were forgotten, unless another batch reads them."""
    with runtime.reads() as session:
        wanted = {source.path for source in kept_sources(session, runtime.settings)}
    for batch in batches:
        path = sources_folder(runtime.settings) / batch.order.file.name
        if path not in wanted:
            path.unlink(missing_ok=True)


def kept_sources(session: Session, settings: Settings) -> Iterator[Source]:
    """The copies that batches may still read, where they lie now: the data folder may be moved."""
    table, folder = PORTAL_LEDGER.batch, sources_folder(settings)
    kept = select(table.c.file_path, table.c.size, table.c.sha256)
    rows = session.execute(kept.where(table.c.forgotten_at.is_(None)))
    for row in rows:
        yield Source(path=folder / Path(row.file_path).name, size=row.size, sha256=row.sha256)


def adopt_sources(runtime: Runtime) -> int:
    """Let batches find their copies again after the data folder was moved, or restored.

    Returns for how many of them the place is another one now.
    """
    folder = sources_folder(runtime.settings)
    with runtime.reads() as session:
        stores = session.scalars(select(PORTAL_LEDGER.batch.c.store).distinct()).all()
    return sum(_adopt(open_books(runtime, Store(store)), folder) for store in stores)


def _adopt(books: Books, folder: Path) -> int:
    table = books.tables.batch
    with books.read() as session:
        rows = session.execute(select(table.c.number, table.c.file_path)).all()
    places = [(row, folder / Path(row.file_path).name) for row in rows]
    moved = [(row.number, str(now)) for row, now in places if row.file_path != str(now)]
    moved = [(number, now) for number, now in moved if Path(now).is_file()]
    for start in range(0, len(moved), AT_ONCE):
        with books.write() as session:
            for number, now in moved[start : start + AT_ONCE]:
                its = table.c.number == number
                session.execute(update(table).where(its).values(file_path=now))
    return len(moved)
