"""The files of the data centre as its pages list them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.datacenter.claims import claims_of
from portal.datacenter.disk import entries
from portal.datacenter.facts import facts_of
from portal.datacenter.folders import DataCenter, DataCenterFile
from portal.datacenter.latest import CutShort, files_cut_short
from portal.datacenter.names import find_pending, is_data, subject_of
from portal.datacenter.place import storage_path
from portal.datacenter.steps import Folder
from portal.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Line:
    """A file in a list. `by` and `rows` are empty and None where nobody knows.

    `job_id` is the active job that works on it; `repair` is the mode of a pending file;
    `cut_short` tells of rows that a batch left undone.
    """

    file: DataCenterFile
    by: str
    origin: str
    rows: int | None
    changed: datetime
    job_id: str | None
    repair: str
    cut_short: CutShort | None = None


def list_files(
    session: Session, *, center: DataCenter, folder: Folder = Folder.ROOT, text: str = ""
) -> list[Line]:
    """The files of a folder whose name contains `text`, the newest first."""
    found = center.get_files(folder)
    wanted = text.casefold()
    shown = [file for file in found if wanted in file.shown.casefold()]
    facts = facts_of(session, [file.entry for file in shown])
    jobs = claims_of(session) if folder is Folder.ROOT else {}
    cut = files_cut_short(session) if folder is Folder.ROOT else {}
    lines = []
    for file in sorted(shown, key=lambda file: (-file.entry.mtime_ns, file.name)):
        fact = facts.get(file.name)
        pending = find_pending(file.name) if folder is Folder.ROOT else None
        lines.append(
            Line(
                file=file,
                by=fact.by_name if fact else "",
                origin=fact.origin if fact else "",
                rows=fact.rows if fact else None,
                changed=file.changed,
                job_id=jobs.get(subject_of(file.name)),
                repair=pending.mode if pending else "",
                cut_short=_same_file(cut.get(file.name), fact.sha256 if fact else ""),
            )
        )
    return lines


def count_waiting(session: Session, *, settings: Settings) -> int:
    """How many files wait to be processed, those on which a job works already included."""
    return len(_waiting(session, settings))


def count_pending(session: Session, *, settings: Settings) -> int:
    """How many of the files that wait hold rows that failed and are to be repaired."""
    return sum(find_pending(name) is not None for name in _waiting(session, settings))


def _same_file(cut: CutShort | None, sha256: str) -> CutShort | None:
    """What is known of the batch, unless another file of that name has come since."""
    return None if cut and sha256 and cut.sha256 not in ("", sha256) else cut


def _waiting(session: Session, settings: Settings) -> list[str]:
    try:
        lying = entries(storage_path(session, settings))
    except OSError:  # its disk is away; the data centre's own pages say so
        return []
    return [entry.name for entry in lying if is_data(entry.name)]
