"""Taking in a file that somebody sends: refused with the reason, or safe and whole in the root."""

import errno
import hashlib
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO
from uuid import uuid4

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.datacenter import disk, names
from portal.datacenter.acceptance import (
    Bounds,
    Met,
    Offer,
    RefusedUploadError,
    refuse,
    refuse_size,
    replaces,
)
from portal.datacenter.checking import Checked, check_content
from portal.datacenter.claims import refuse_claim
from portal.datacenter.distribution import find_original
from portal.datacenter.facts import keep_long_name
from portal.datacenter.intents import open_intent
from portal.datacenter.place import lock_place, storage_path
from portal.datacenter.service import open_data_center
from portal.datacenter.steps import ABSENT, FOLDERS, Act, Fact, Folder, Intent, Kind, Step
from portal.errors import ConflictError, ForbiddenError, PortalError
from portal.files import CHUNK
from portal.runtime import Runtime
from portal.settings import Settings

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that is sent under the name that people gave it; `size` where the sender said it.

    `replace`: it shall take the place of the pending file that waits under its name. Of two with
    the same `occasion` one is taken in.
    """

    name: str
    stream: IO[bytes]
    size: int = 0
    replace: bool = False
    occasion: str = ""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A file that was taken in. `repairs` is the name on disk of the original whose rows it has."""

    name: str
    size: int
    sha256: str
    rows: int
    repairs: str | None


def accept_upload(runtime: Runtime, *, upload: Upload, actor: Actor, address: str = "") -> Accepted:
    """Take the file in, read from its first byte to its last; else RefusedUploadError says why.

    Raises ConflictError where a job works on a file of this name. No session may be open beside it.
    """
    if not actor.may(Permission.DATACENTER_EDIT):
        raise ForbiddenError("You may not upload files to the data centre.")
    center = open_data_center(runtime)
    offer = Offer(name=names.disk_name(upload.name), size=upload.size, replace=upload.replace)
    refuse(offer, met=_met(center.storage), bounds=_bounds(runtime.settings))
    received = _received(center.storage, upload, offer, limit=runtime.settings.upload_limit_mb)
    offer = _as_it_came(offer, received, _met(center.storage))
    try:
        with runtime.sessions.begin() as session:
            _refuse_change(session, runtime, storage=center.storage, name=offer.name)
            intent = _intent(runtime, center.storage, offer, received)
            occasion = upload.occasion or intent.occasion
            intent = replace(intent, actor=actor, address=address, occasion=occasion)
            keep_long_name(session, names.cut_stem(upload.name))
            standing = open_intent(session, intent=intent, now=runtime.clock())
    except PortalError:
        disk.drop_workspace(center.storage, received.workspace)
        raise
    center.carry(standing)
    return _accepted(center.storage, offer, received)


@dataclass(frozen=True, kw_only=True)
class _Received:
    """A file that is whole and durable in a workspace of the storage, and was read."""

    workspace: str
    entry: disk.Entry
    sha256: str
    checked: Checked


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        file_mb=settings.upload_limit_mb,
        quota_mb=settings.datacenter_quota_mb,
        reserve_mb=settings.disk_reserve_mb,
        pending=settings.datacenter_max_pending,
    )


def _met(storage: Path) -> Met:
    lying = {folder: disk.entries(storage / folder) for folder in Folder}
    return Met(
        root=disk.names_in(storage) - frozenset(FOLDERS),
        finished=disk.names_in(storage / Folder.FINISHED),
        unfinished=disk.names_in(storage / Folder.UNFINISHED),
        used=sum(entry.size for found in lying.values() for entry in found),
        free=shutil.disk_usage(storage).free,
    )


def _received(storage: Path, upload: Upload, offer: Offer, *, limit: int) -> _Received:
    workspace = uuid4().hex
    folder = disk.make_workspace(storage, workspace)
    path = folder / f"upload{names.extension_of(offer.name)}"
    try:
        digest = _write(upload.stream, path, limit=limit)
        disk.make_durable(folder)
        checked = check_content(path, name=offer.name)
        entry = disk.get_entry(path)
    except BaseException as error:
        disk.drop_workspace(storage, workspace)
        if isinstance(error, OSError) and error.errno in _FULL:
            raise RefusedUploadError("The disk is full; nothing of the file was kept.") from error
        raise
    return _Received(workspace=workspace, entry=entry, sha256=digest, checked=checked)


def _write(stream: IO[bytes], path: Path, *, limit: int) -> str:
    """Keep what comes, up to `limit` MB, and return its SHA-256."""
    digest, size = hashlib.sha256(), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as target:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            refuse_size(size, limit_mb=limit)
            target.write(chunk)
            digest.update(chunk)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest()


def _as_it_came(offer: Offer, received: _Received, met: Met) -> Offer:
    """The offer with its real size; a pending file that was saved twice gets back its name."""
    plain = names.without_copy_number(offer.name)
    known = plain in met.root or _find_original(plain, met) is not None
    name = plain if received.checked.tells_errors and known else offer.name
    return replace(offer, name=name, size=received.entry.size)


def _find_original(name: str, met: Met) -> str | None:
    pending = names.find_pending(name)
    return find_original(pending, met.unfinished) if pending else None


def _refuse_change(session: Session, runtime: Runtime, *, storage: Path, name: str) -> None:
    """What has changed since the file began to come: the storage's place, jobs at work."""
    lock_place(session)
    refuse_claim(session, name=name)
    if storage_path(session, runtime.settings) != storage:
        raise ConflictError("The storage was moved meanwhile; send the file again.")


def _intent(runtime: Runtime, storage: Path, offer: Offer, received: _Received) -> Intent:
    """One step; what lies there now is looked at again, as the name could be taken meanwhile."""
    met = _met(storage)
    refuse(offer, met=met, bounds=_bounds(runtime.settings))
    before = disk.digest_of(storage / offer.name) if replaces(offer, met) else None
    step = Step(
        act=Act.MOVE if before is None else Act.REPLACE,
        source=received.entry.path.relative_to(storage).as_posix(),
        target=offer.name,
        before=before or ABSENT,
        after=received.sha256,
    )
    fact = Fact(
        name=offer.name,
        size=received.entry.size,
        mtime_ns=received.entry.mtime_ns,
        sha256=received.sha256,
        origin="upload",
        rows=received.checked.rows,
    )
    return Intent(
        id=received.workspace,
        occasion=received.workspace,
        kind=Kind.UPLOAD,
        subject=names.subject_of(offer.name),
        steps=(step,),
        facts=(fact,),
        about=offer.name,
        action="datacenter.upload",
        detail={"size": fact.size, "sha256": fact.sha256, "replaced": step.before},
    )


def _accepted(storage: Path, offer: Offer, received: _Received) -> Accepted:
    return Accepted(
        name=offer.name,
        size=offer.size,
        sha256=received.sha256,
        rows=received.checked.rows,
        repairs=_find_original(offer.name, _met(storage)),
    )
