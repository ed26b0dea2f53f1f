"""The jobs that the room of tables offers."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.artifacts.owners import OwnerKind
from portal.errors import ConflictError
from portal.jobs.kinds import BULK, Args, Kind
from portal.jobs.models import Job
from portal.jobs.work import Work
from portal.tables.exports import save_export
from portal.tables.files import FileFormat
from portal.tables.grants import SUBJECT, may_do_one, may_export, place_of
from portal.tables.service import EXPORT as EXPORT_KIND
from portal.tables.service import TOLD


def export_table(
    work: Work, *, table: str, file_format: str, place: str, words: Sequence[str] = ()
) -> None:
    """Save all rows of a table as a file and hand it out."""
    if place != place_of(work.runtime.settings):
        raise ConflictError(
            "PORTAL_TABLES_URL names another database now; ask for the export anew."
        )
    save_export(work, table=table, file_format=FileFormat(file_format), words=words)


def _may_run(session: Session, actor: Actor, args: Args) -> bool:
    place, table = str(args.get("place", "")), str(args.get("table", ""))
    return may_export(session, actor, place=place, table=table) and _may_know(session, actor, args)


def _may_know(session: Session, actor: Actor, args: Args) -> bool:
    """Whether the actor may know the words of other tables that the file has."""
    place, words = str(args.get("place", "")), args.get("words", ())
    return may_do_one(session, actor, place=place, tables=words, actions=TOLD)


def _may_view(session: Session, actor: Actor, job: Job) -> bool:
    return _may_run(session, actor, job.args)


def _may_download(session: Session, actor: Actor, owner_id: str) -> bool:
    place, _, table = owner_id.partition("/")
    return may_export(session, actor, place=place, table=table)


def _may_see(session: Session, actor: Actor, job_id: str) -> bool:
    args = session.scalar(select(Job.args).where(Job.id == job_id))
    return args is not None and "words" in args and _may_know(session, actor, args)


EXPORT = Kind(
    name=EXPORT_KIND,
    area="tables",
    label="Table export",
    queue=BULK,
    run=export_table,
    may_view=_may_view,
    may_run=_may_run,
    restartable=True,
)
TABLE_OWNER = OwnerKind(name=SUBJECT, may_download=_may_download, may_see=_may_see)
