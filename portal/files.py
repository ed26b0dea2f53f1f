"""Files that are whole or absent: safe names, safe paths, write aside then rename, fsync."""

import ctypes
import errno
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from portal.errors import InvalidError

NAME_BYTES = 255
CHUNK = 1024 * 1024
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.~ -]{0,253}[A-Za-z0-9_]")
_RENAME_NOREPLACE = 1
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_libc = ctypes.CDLL(None, use_errno=True)


def safe_name(name: str) -> str:
    """Return `name` in NFC if it can be one file name anywhere, else raise InvalidError.

    Refused: empty, `.`, `..`, path separators, control characters, over 255 bytes.
    """
    if _PLAIN.fullmatch(name):  # most are, and a spool has thousands
        return name
    normal = unicodedata.normalize("NFC", name)
    if normal.strip() in ("", ".", ".."):
        raise InvalidError("The name is empty or means a folder; choose another.")
    if any(char in "/\\" or unicodedata.category(char) in ("Cc", "Cs") for char in normal):
        raise InvalidError(f"The name {normal!r} has a character that file names cannot have.")
    if len(normal.encode()) > NAME_BYTES:
        raise InvalidError(f"The name is longer than {NAME_BYTES} bytes; shorten it.")
    return normal


def fsync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def written_aside(target: Path, *, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """Yield a file beside `target`; on success it is fsynced and replaces `target` in one step.

    On any error the temporary file is gone and `target` is as it was.
    """
    aside = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}.part")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(target)
        fsync_folder(target.parent)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_private(target: Path, content: bytes, *, overwrite: bool = True) -> None:
    """Write a small file that only its owner reads (0600); without `overwrite` the first stays."""
    if overwrite:
        with written_aside(target) as stream:
            stream.write(content)
        return
    aside = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        with written_aside(aside) as stream:
            stream.write(content)
        move_new(aside, target)
    except FileExistsError:
        aside.unlink(missing_ok=True)


def move_new(source: Path, target: Path) -> None:
    """Rename `source` to `target` in one step; raise FileExistsError where `target` stands."""
    rename_new(source, target)
    _keep_names(source, target)


def rename_new(source: Path | str, target: Path | str) -> None:
    """As `move_new`; that it survives a power cut is the affair of who calls `fsync_folder`."""
    if not _renamed(source, target, _RENAME_NOREPLACE):
        _link_new(source, target)


def exchange(source: Path, target: Path) -> None:
    """Let two files that stand change their names in one step; no content is lost by it.

    On file systems without it (NFS) `target` is kept under a name of its own and then replaced.
    """
    if not _renamed(source, target, _RENAME_EXCHANGE):
        kept = source.with_name(f"{source.name}.{secrets.token_hex(6)}.part")
        os.link(target, kept)
        source.replace(target)
        kept.rename(source)
    _keep_names(source, target)


def _renamed(source: Path | str, target: Path | str, flag: int) -> bool:
    """Rename with a flag; False where the file system does not know it."""
    result = _libc.renameat2(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), flag)
    code = ctypes.get_errno() if result != 0 else 0
    if code and code not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(code, os.strerror(code), str(target))
    return not code


def _keep_names(source: Path, target: Path) -> None:
    fsync_folder(target.parent)
    if source.parent != target.parent:
        fsync_folder(source.parent)


def _link_new(source: Path | str, target: Path | str) -> None:
    """For file systems without RENAME_NOREPLACE (NFS): a link fails where the target stands."""
    os.link(source, target)
    os.unlink(source)  # noqa: PTH108 (a path may be plain text here)


def private_folder(folder: Path) -> Path:
    """Make `folder` (and parents) readable by its owner only, and return it."""
    for part in reversed([folder, *folder.parents]):
        if not part.exists():
            part.mkdir(exist_ok=True, mode=0o700)
    return folder


def remove_tree(folder: Path) -> None:
    """Remove `folder` with all that is in it; none there is fine."""
    if folder.exists():
        shutil.rmtree(folder)
