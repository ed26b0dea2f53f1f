"""Making the file of a table's export and handing it out."""

from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from portal.artifacts.models import Artifact
from portal.artifacts.retention import find_surplus, remove_surplus
from portal.artifacts.service import (
    Owner,
    artifacts_of_owner,
    forget,
    measure,
    register,
    remove_files,
)
from portal.jobs.work import Work
from portal.later import later
from portal.runtime import Runtime
from portal.tables.catalog import catalog_of
from portal.tables.counting import count_rows
from portal.tables.files import MEDIA_TYPES, FileFormat, Rows, write_file
from portal.tables.grants import SUBJECT, place_of
from portal.tables.layout import Layout
from portal.tables.service import layout_to_read
from portal.tables.streaming import moment_of, stream

if TYPE_CHECKING:
    from portal.tables.parquet.file import write_parquet
else:
    write_parquet = later("portal.tables.parquet.file:write_parquet")

ARTIFACT_KIND = "table_export"
STAGE = "Rows"


def save_export(work: Work, *, table: str, file_format: FileFormat, words: Collection[str]) -> None:
    """Write the file of a job and hand it out: artifact and success are one transaction.

    Rows of the tables `words` are told by their word, those of others by their key.
    """
    runtime = work.runtime
    path = work.folder / f"table.{file_format}"
    layout = layout_to_read(runtime, catalog_of(runtime).get(table), words=words)

    with moment_of(runtime.tables) as connection:
        count = count_rows(connection, layout.shape)
        work.progress(stage=STAGE, done=0, total=count.number if count.exact else None, unit="rows")
        rows = _write(work, connection, layout, path, file_format)
    _hand_out(work, table=table, file_format=file_format, path=path, rows=rows)


def _write(
    work: Work, connection: Connection, layout: Layout, path: Path, file_format: FileFormat
) -> int:
    def told(stage: str, done: int) -> None:
        work.progress(stage=stage, done=done, unit="rows")
        work.checkpoint()

    def read() -> Rows:
        return stream(connection, layout)

    if file_format is FileFormat.PARQUET:
        zone = work.runtime.settings.zone
        return write_parquet(path, layout, read=read, zone=zone, told=told)
    ready = partial(told, STAGE)
    return write_file(path, file_format, fields=layout.fields, rows=read(), told=ready)


def _hand_out(work: Work, *, table: str, file_format: FileFormat, path: Path, rows: int) -> None:
    settings, now = work.runtime.settings, work.runtime.clock()
    file = measure(path, checkpoint=work.checkpoint)
    owner = owner_of(place_of(settings), table)
    result: dict[str, Any] = {"rows": rows}
    with work.completion(result) as session:
        artifact = register(
            session,
            file=file,
            kind=ARTIFACT_KIND,
            owner=owner,
            name=download_name(table, file_format, now),
            media_type=MEDIA_TYPES[file_format],
            settings=settings,
            now=now,
            job_id=work.claim.job_id,
        )
        result |= _facts(artifact)
        newest = settings.exports_kept
        surplus = find_surplus(session, kind=ARTIFACT_KIND, newest=newest, owner=owner)
        forget(session, surplus)
    remove_files(settings, surplus)


def list_exports(session: Session, *, owner: Owner, limit: int) -> list[Artifact]:
    """The newest exports of a table; the caller has checked the right."""
    return artifacts_of_owner(session, owner=owner, kind=ARTIFACT_KIND)[:limit]


def keep_newest(runtime: Runtime) -> int:
    """Remove exports beyond each table's newest ones; returns how many."""
    return remove_surplus(runtime, kind=ARTIFACT_KIND, newest=runtime.settings.exports_kept)


def download_name(table: str, file_format: FileFormat, moment: datetime) -> str:
    """How people see an export: `office-2026-11-21_140305Z.csv`."""
    plain = "".join(char if char.isalnum() or char in "-_." else "_" for char in table)[:120]
    return f"{plain.lstrip('.') or 'table'}-{moment.astimezone(UTC):%Y-%m-%d_%H%M%SZ}.{file_format}"


def owner_of(place: str, table: str) -> Owner:
    """What the exports of a table belong to."""
    return Owner(kind=SUBJECT, id=f"{place}/{table}")


def _facts(artifact: Artifact) -> dict[str, Any]:
    return {
        "artifact": artifact.id,
        "name": artifact.name,
        "size": artifact.size,
        "sha256": artifact.sha256,
    }
