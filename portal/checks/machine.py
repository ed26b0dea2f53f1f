"""The machine: versions, programs, disk, and who may read the data folder."""

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from portal.checks.finding import Finding, advice, error, not_running
from portal.errors import PortalError
from portal.redis_server import find_binary
from portal.settings import KEY_LENGTH, KNOWN_KEYS, Settings

SAFE_SQLITE = (3, 51, 3)
PYTHON = (3, 11)
ZIP_FIXED = {(3, 11): 8, (3, 12): 2}  # CVE-2024-0450
MEGABYTE = 1_000_000
KEY_FILE = "secret_key"
_OTHERS = 0o077
_MAY_PASS = 0o711  # others may pass through the data folder, not look into it
_NAMED = 3


def check_machine(
    settings: Settings, *, find_redis: Callable[[], Path] = find_binary
) -> Iterator[Finding]:
    """Findings about this machine and its data folder; `find_redis` finds the server to run."""
    yield from judge_python(sys.version_info[:3])
    if settings.database.startswith("sqlite"):
        yield from judge_sqlite(sqlite3.sqlite_version_info)
    yield from _programs(settings, find_redis)
    if not settings.data.is_dir():
        yield not_running(
            f"There is no data folder {settings.data} yet.",
            "`portal up` makes it; if there should be one, set PORTAL_DATA to it.",
        )
        return
    yield from _disk(settings)
    yield from _readable_by_others(settings.data)
    yield from _key(settings)


def judge_python(version: tuple[int, ...]) -> Iterator[Finding]:
    """Say what is wrong with a version of Python."""
    shown = ".".join(str(part) for part in version)
    if version[:2] < PYTHON:
        yield error(f"Python {shown} is too old.", "Portal needs Python 3.11 or newer.")
    elif version[2] < ZIP_FIXED.get((version[0], version[1]), 0):
        yield advice(
            f"Python {shown} lacks a guard against zip files made to fill the disk "
            "(CVE-2024-0450).",
            f"Update it to {version[0]}.{version[1]}.{ZIP_FIXED[(version[0], version[1])]} or "
            "newer; a distribution may have mended its own build under the old number.",
        )


def judge_sqlite(version: tuple[int, ...]) -> Iterator[Finding]:
    """Say what is wrong with a version of SQLite."""
    if version < SAFE_SQLITE:
        shown = ".".join(str(part) for part in version)
        yield advice(
            f"SQLite {shown} has a fault that can, rarely, damage a database that several "
            "processes write to (mended in 3.51.3). Portal works around it.",
            "For more than a few people use PostgreSQL: PORTAL_DATABASE_URL, docs/operations.md.",
        )


def _programs(settings: Settings, find_redis: Callable[[], Path]) -> Iterator[Finding]:
    if not settings.redis_url:
        try:
            find_redis()
        except PortalError as missing:
            yield error("Portal finds no Redis to run.", str(missing))
    if not settings.database.startswith("sqlite"):
        missing_ones = [name for name in ("pg_dump", "pg_restore") if not shutil.which(name)]
        if missing_ones:
            yield advice(
                f"{' and '.join(missing_ones)} cannot be found; `portal backup` needs them.",
                "Install PostgreSQL's client programs (Debian: postgresql-client).",
            )


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.data).free / MEGABYTE
    if free < settings.disk_reserve_mb:
        yield error(
            f"The disk of {settings.data} has {free:,.0f} MB left; PORTAL_DISK_RESERVE_MB asks "
            f"for {settings.disk_reserve_mb:,}. Uploads and loads are refused.",
            "Free some space, or move PORTAL_DATA to a larger disk.",
        )
    if not os.access(settings.data, os.W_OK | os.X_OK):
        yield error(
            f"The data folder {settings.data} cannot be written to.",
            "Give it to the user whom Portal runs as.",
        )


def _readable_by_others(data: Path) -> Iterator[Finding]:
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & ~_MAY_PASS & 0o777:
        yield error(
            f"Other users of this machine may look into the data folder {data}.",
            f"chmod 0711 {data}",
        )
    if not mode & _OTHERS:
        return  # nobody else comes in, whatever lies there
    open_ones = [entry for entry in sorted(data.iterdir()) if _is_open(entry)]
    if open_ones:
        names = ", ".join(str(entry) for entry in open_ones[:_NAMED])
        more = f" and {len(open_ones) - _NAMED} more" if len(open_ones) > _NAMED else ""
        yield error(
            f"Other users of this machine may read what Portal keeps: {names}{more}.",
            f"chmod go= {' '.join(str(entry) for entry in open_ones)}",
        )


def _is_open(entry: Path) -> bool:
    found = entry.lstat()
    return not stat.S_ISLNK(found.st_mode) and bool(stat.S_IMODE(found.st_mode) & _OTHERS)


def _key(settings: Settings) -> Iterator[Finding]:
    if settings.secret_key:
        return
    kept = settings.data / KEY_FILE
    if not kept.is_file():
        yield not_running(
            f"There is no secret key: neither PORTAL_SECRET_KEY nor {kept}.",
            "`portal up` makes one. After a restore, bring the old one back.",
        )
        return
    if stat.S_IMODE(kept.stat().st_mode) & _OTHERS:
        yield error(
            f"Other users may read the secret key {kept}; who has it can forge sign-ins.",
            f"Remove {kept} and start Portal again: it makes a new one, and everybody signs in "
            "anew.",
        )
    if not os.access(kept, os.R_OK):
        yield error(f"The secret key {kept} cannot be read.", "Give it to Portal's user.")
    elif is_weak(kept.read_text(errors="replace").strip()):
        yield error(
            f"The secret key in {kept} is too short or too well known.",
            f"Remove {kept} and start Portal again: it makes a new one.",
        )


def is_weak(key: str) -> bool:
    """Say whether a secret key could be guessed."""
    return len(key) < KEY_LENGTH or key.lower() in KNOWN_KEYS or len(set(key)) < 8
