"""Registering, finding and removing artifacts. Services flush, edges commit.

The file moves to its place inside the transaction that writes its row. A crash in between leaves
a file without a row, which the drift report names and the reconciler removes (artifacts/drift.py).
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.artifacts.models import Artifact
from portal.artifacts.owners import OwnerKinds
from portal.errors import NotFoundError
from portal.files import CHUNK, move_new, private_folder
from portal.settings import Settings

MISSING = "There is no such file, or you may not fetch it."


@dataclass(frozen=True, kw_only=True)
class Owner:
    """What an artifact belongs to: a kind and an id, as text."""

    kind: str
    id: str


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A finished file on disk: its bytes are durable, its size and SHA-256 (hex) are known."""

    path: Path
    size: int
    sha256: str


def artifacts_folder(settings: Settings) -> Path:
    """Where all artifacts are kept."""
    return settings.data / "artifacts"


def artifact_path(settings: Settings, artifact_id: str) -> Path:
    """Where the file of the artifact with this id is kept, under its internal name."""
    return artifacts_folder(settings) / artifact_id[:2] / artifact_id


def measure(path: Path, *, checkpoint: Callable[[], None] = lambda: None) -> Measured:
    """Read the file at `path` once, make it durable, and say its size and SHA-256.

    It takes as long as reading takes, so it is done before the transaction of `register`.
    """
    digest, size = hashlib.sha256(), 0
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        while chunk := os.read(handle, CHUNK):
            digest.update(chunk)
            size += len(chunk)
            checkpoint()
        os.fsync(handle)
    finally:
        os.close(handle)
    return Measured(path=path, size=size, sha256=digest.hexdigest())


def register(
    session: Session,
    *,
    file: Measured,
    kind: str,
    owner: Owner,
    name: str,
    media_type: str,
    settings: Settings,
    now: datetime,
    job_id: str | None = None,
) -> Artifact:
    """Move a finished file among the artifacts and write its row; people see `name`.

    The file must be on the same file system as the data folder.
    """
    artifact = Artifact(
        id=uuid4().hex,
        kind=kind,
        owner_kind=owner.kind,
        owner_id=owner.id,
        job_id=job_id,
        name=name,
        media_type=media_type,
        size=file.size,
        sha256=file.sha256,
        created_at=now,
        expires_at=now + timedelta(days=settings.artifact_days),
    )
    target = artifact_path(settings, artifact.id)
    private_folder(target.parent)
    move_new(file.path, target)
    session.add(artifact)
    session.flush()
    return artifact


def get_artifact(
    session: Session, *, owners: OwnerKinds, actor: Actor, artifact_id: str, now: datetime
) -> Artifact:
    """The artifact with this id, if `actor` may fetch it now; raises NotFoundError otherwise."""
    artifact = session.get(Artifact, artifact_id)
    if artifact is None or _is_over(artifact, now):
        raise NotFoundError(MISSING)
    if not may_fetch(session, owners=owners, actor=actor, artifact=artifact):
        raise NotFoundError(MISSING)
    return artifact


def may_fetch(session: Session, *, owners: OwnerKinds, actor: Actor, artifact: Artifact) -> bool:
    """Say whether `actor` may fetch this artifact, as long as it is kept."""
    return owners.may_download(
        session,
        actor=actor,
        owner_kind=artifact.owner_kind,
        owner_id=artifact.owner_id,
        job_id=artifact.job_id,
    )


def artifacts_of_job(session: Session, job_id: str) -> list[Artifact]:
    """What a job made, newest first."""
    return _found(session, Artifact.job_id == job_id)


def artifacts_of_owner(session: Session, *, owner: Owner, kind: str) -> list[Artifact]:
    """What an owner has of one kind, newest first."""
    return _found(
        session,
        Artifact.owner_kind == owner.kind,
        Artifact.owner_id == owner.id,
        Artifact.kind == kind,
    )


def forget(session: Session, artifact_ids: Iterable[str]) -> None:
    """Delete the rows of these artifacts; after the commit, `remove_files` removes the files."""
    session.execute(delete(Artifact).where(Artifact.id.in_(list(artifact_ids))))


def remove_files(settings: Settings, artifact_ids: Iterable[str]) -> None:
    """Remove the files of forgotten artifacts; a download that runs still gets its bytes."""
    for artifact_id in artifact_ids:
        artifact_path(settings, artifact_id).unlink(missing_ok=True)


def _found(session: Session, *conditions: object) -> list[Artifact]:
    query = select(Artifact).where(*conditions)  # type: ignore[arg-type]
    return list(session.scalars(query.order_by(Artifact.created_at.desc(), Artifact.id)))


def _is_over(artifact: Artifact, now: datetime) -> bool:
    return artifact.expires_at is not None and artifact.expires_at <= now
