"""The backup's one file: a plain tar whose last member says what all others must be.

Readable by any tar; `manifest.json` holds the SHA-256 and size of each member, and its own name
carries its own SHA-256, so that a flipped bit anywhere in what counts is found.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from portal.errors import InvalidError, PortalError
from portal.files import CHUNK, private_folder, safe_name

FORMAT = 1
MANIFEST_BYTES = 1_000_000_000
_MANIFEST = "manifest-{}.json"


class BackupError(PortalError):
    """A backup cannot be made or is not sound; the message says why. Nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """What one member of the archive must be; its time of change is given back, not compared."""

    size: int
    sha256: str
    mtime_ns: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a backup says of itself."""

    version: str
    made_at: str
    database: str
    schema: str
    missing: tuple[str, ...] = ()
    format: int = FORMAT


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The facts of a backup and all its members by name."""

    facts: Facts
    members: dict[str, Member]

    def encoded(self) -> bytes:
        """The manifest as it is kept."""
        members = {name: asdict(member) for name, member in self.members.items()}
        return json.dumps({"facts": asdict(self.facts), "members": members}, indent=1).encode()


class ArchiveWriter:
    """Adds members one after the other and the manifest at the end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._tar = tarfile.TarFile(
            fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, copybufsize=CHUNK
        )
        self._members: dict[str, Member] = {}

    def add(self, name: str, source: Path) -> Member:
        """Add a file under `name`; raises FileNotFoundError where there is none."""
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            measured = _Measured(stream)
            found = os.fstat(stream.fileno())
            self._tar.addfile(_entry(name, found.st_size), measured)
        self._members[name] = Member(
            size=found.st_size, sha256=measured.digest.hexdigest(), mtime_ns=found.st_mtime_ns
        )
        return self._members[name]

    def close(self, facts: Facts) -> None:
        """Add the manifest; without it the archive counts for nothing."""
        content = Manifest(facts=facts, members=self._members).encoded()
        name = _MANIFEST.format(hashlib.sha256(content).hexdigest())
        self._tar.addfile(_entry(name, len(content)), io.BytesIO(content))
        self._tar.close()


def verify(path: Path) -> Manifest:
    """Read the whole archive and return its manifest; raises BackupError unless all is sound."""
    found: dict[str, Member] = {}
    content, named = b"", ""
    with _opened(path) as tar:
        for entry in tar:
            if named:
                raise BackupError(
                    f"{path} has something after its manifest; it is no sound backup."
                )
            stream = _content(tar, entry, path)
            if entry.name.startswith("manifest-"):
                content, named = stream.read(MANIFEST_BYTES), entry.name
            elif entry.name in found:
                raise BackupError(f"{path} holds {entry.name!r} twice; it is no sound backup.")
            else:
                found[entry.name] = _measure(stream)
    manifest = _parsed(content, named, path)
    _compare(manifest, found, path)
    return manifest


def unpack(path: Path, manifest: Manifest, *, folder: Path) -> None:
    """Write all members but the manifest below `folder`, which must be this restore's alone.

    What differs from `manifest`, as `verify` returned it, raises BackupError.
    """
    left = set(manifest.members)
    with _opened(path) as tar:
        for entry in tar:
            if entry.name in left:
                left.remove(entry.name)
                target = folder.joinpath(*checked_name(entry.name, path).parts)
                private_folder(target.parent)
                _write(_content(tar, entry, path), target, manifest.members[entry.name], path)
    if left:
        raise BackupError(f"{path} changed while it was being restored. Use another backup.")


def checked_name(name: str, path: Path) -> PurePosixPath:
    """`name` as a path that stays below the folder it is joined to; else BackupError."""
    parts = name.split("/")
    try:
        if all(safe_name(part) == part for part in parts):
            return PurePosixPath(*parts)
    except InvalidError:
        pass
    raise BackupError(f"{path} holds the name {name!r}, which no backup has; it is not used.")


class _Measured(io.RawIOBase):
    """Hashes what is read through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        self.digest.update(chunk)
        return chunk


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield tar
    except FileNotFoundError:
        raise BackupError(f"There is no file {path}.") from None
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BackupError(f"{path} is damaged or no backup: {error}.") from error


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> IO[bytes]:
    checked_name(entry.name, path)
    stream = tar.extractfile(entry) if entry.type in tarfile.REGULAR_TYPES else None
    if stream is None or entry.issparse():
        raise BackupError(f"{path} holds {entry.name!r}, which is no plain file; it is not used.")
    return stream


def _measure(stream: IO[bytes]) -> Member:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return Member(size=size, sha256=digest.hexdigest())


def _parsed(content: bytes, name: str, path: Path) -> Manifest:
    if not name:
        raise BackupError(f"{path} is incomplete: its manifest is missing. Use another backup.")
    if name != _MANIFEST.format(hashlib.sha256(content).hexdigest()):
        raise BackupError(f"The manifest of {path} is damaged. Use another backup.")
    try:
        known: dict[str, Any] = json.loads(content)
        facts = Facts(**{**known["facts"], "missing": tuple(known["facts"]["missing"])})
        members = {name: Member(**member) for name, member in known["members"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(f"{path} was not made by this Portal: its manifest differs.") from error
    if facts.format != FORMAT:
        raise BackupError(f"{path} was made by another version of Portal; restore it with that.")
    return Manifest(facts=facts, members=members)


def _compare(manifest: Manifest, found: dict[str, Member], path: Path) -> None:
    differing = sorted(
        name
        for name in manifest.members.keys() | found.keys()
        if manifest.members.get(name) != found.get(name)
    )
    if differing:
        named = ", ".join(differing[:3])
        raise BackupError(
            f"{path} is damaged: {len(differing)} of its files differ from its manifest ({named}). "
            "Use another backup."
        )


def _write(stream: IO[bytes], target: Path, expected: Member, path: Path) -> None:
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    digest = hashlib.sha256()
    with os.fdopen(handle, "wb") as out:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        if expected.mtime_ns:
            os.utime(out.fileno(), ns=(expected.mtime_ns, expected.mtime_ns))
        os.fsync(out.fileno())
    if digest.hexdigest() != expected.sha256:
        raise BackupError(f"{path} changed while it was being restored. Use another backup.")
