"""The data centre: is its storage fit to work in, does everything in it move on?"""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from portal.checks.finding import Finding, advice, error
from portal.checks.machine import MEGABYTE
from portal.datacenter.disk import entries
from portal.datacenter.intents import forgotten_intents
from portal.datacenter.names import is_data, is_safe, shown_name
from portal.datacenter.place import default_path, is_there, storage_path
from portal.datacenter.steps import FOLDERS, Folder
from portal.rows.copies import kept_sources
from portal.runtime import Runtime
from portal.settings import Settings

QUIET_SECONDS = 300.0
_NAMED = 3
_EVERYBODY = 0o007


def check_datacenter(runtime: Runtime) -> Iterator[Finding]:
    """Findings about the data centre's files; a storage that is not there yet is made later."""
    settings = runtime.settings
    with runtime.reads() as session:
        storage = storage_path(session, settings)
        yield from _moves(session)
        yield from _copies(session, settings)
    if not is_there(storage, settings):
        yield error(
            f"The storage of the data centre, {storage}, is not there.",
            "Mount or bring back its disk; another place is chosen on the data centre's settings.",
        )
    elif storage.is_dir():
        yield from _place(storage, settings)
        yield from _names(storage)


def _place(storage: Path, settings: Settings) -> Iterator[Finding]:
    for path in (storage, *(storage / folder for folder in FOLDERS)):
        if not path.is_symlink() and not path.exists():
            continue  # it is made when it is needed
        if path != storage and not _is_within(path, storage):
            yield error(
                f"{path} is no plain folder on the same file system as {storage}.",
                "Files must be able to move there in one step: put a plain folder in its place.",
            )
        elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            yield error(
                f"Portal may not work in {path}.",
                "Give the folder to the user whom Portal runs as.",
            )
    yield from _elsewhere(storage, settings)


def _is_within(path: Path, storage: Path) -> bool:
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_dev == storage.stat().st_dev


def _elsewhere(storage: Path, settings: Settings) -> Iterator[Finding]:
    """What is looked at for the data folder already."""
    if storage == default_path(settings):
        return
    if stat.S_IMODE(storage.stat().st_mode) & _EVERYBODY:
        yield error(
            f"Every user of this machine may look into the data centre's storage {storage}.",
            f"chmod o= {storage}",
        )
    free = shutil.disk_usage(storage).free / MEGABYTE
    if free < settings.disk_reserve_mb:
        yield error(
            f"The disk of the storage {storage} has {free:,.0f} MB left; PORTAL_DISK_RESERVE_MB "
            f"asks for {settings.disk_reserve_mb:,}. Uploads are refused.",
            "Free some space, or let the storage be on a larger disk.",
        )


def _moves(session: Session) -> Iterator[Finding]:
    halted = forgotten_intents(session, quiet_seconds=QUIET_SECONDS)
    if halted:
        yield error(
            f"Moves of files in the data centre that have stood still for five minutes: "
            f"{len(halted)}.",
            "The reconciler finishes them: start it, or see in its log what keeps it from that.",
        )


def _copies(session: Session, settings: Settings) -> Iterator[Finding]:
    gone = sum(not source.path.is_file() for source in kept_sources(session, settings))
    if gone:
        yield advice(
            f"Batches of the data centre whose copy of the file is gone: {gone}. They cannot go "
            "on, and not all of them can be undone.",
            "Bring the folder batches/ back from a backup.",
        )


def _names(storage: Path) -> Iterator[Finding]:
    lying = [(folder, entry.name) for folder in Folder for entry in entries(storage / folder)]
    unsafe = [_called(folder, name) for folder, name in lying if not is_safe(name)]
    if unsafe:
        yield advice(
            f"Files of the data centre with names that could do harm: {_some(unsafe)}.",
            "Those that wait get safe names from the running portal; rename others by hand.",
        )
    odd = [name for folder, name in lying if folder is Folder.ROOT and not is_data(name)]
    if odd:
        yield advice(
            "Files in the storage that the data centre cannot read: "
            f"{_some([_called(Folder.ROOT, name) for name in odd])}.",
            "It reads CSV, TSV, XLS, XLSX and ODS; take the others away.",
        )


def _called(folder: Folder, name: str) -> str:
    return f"{folder}/{shown_name(name)}".lstrip("/")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
