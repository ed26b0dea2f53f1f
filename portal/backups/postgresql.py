"""A snapshot of a PostgreSQL database by its own programs, and putting it back."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from portal.backups.archive import BackupError
from portal.db import open_engine, reading

NAME = "portal.pgdump"
_OURS = text(
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' "
    "AND n.nspname <> 'information_schema'"
)

_REMOVALS = text(
    "SELECT format('DROP TABLE %I.%I CASCADE', schemaname, tablename) FROM pg_tables "
    "WHERE schemaname = 'public' UNION ALL "
    "SELECT format('DROP FUNCTION %s CASCADE', p.oid::regprocedure) FROM pg_proc p "
    "WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS "
    "(SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
)


@contextmanager
def snapshot(url: str, *, folder: Path) -> Iterator[tuple[Path, Session]]:
    """Dump the database into `folder` as of one moment; writers go on meanwhile.

    Yields the dump and a session that reads the very same moment, through an exported snapshot.
    """
    engine = reading(open_engine(url)).execution_options(isolation_level="REPEATABLE READ")
    target = folder / NAME
    try:
        with engine.connect() as connection:
            program = find_program("pg_dump", connection)
            moment = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            _run(program, url, "-Fc", f"--snapshot={moment}", f"--file={target}")
            with Session(connection) as session:
                yield target, session
    finally:
        engine.dispose()


def refuse_used(url: str) -> None:
    """Raise BackupError where the database holds tables, or pg_restore cannot do its work."""
    with _engine(url) as engine, engine.connect() as connection:
        find_program("pg_restore", connection)
        tables = connection.execute(_OURS).scalar_one()
    if tables:
        raise BackupError(
            f"The database of PORTAL_DATABASE_URL holds {tables} tables already. "
            "Restore into an empty database."
        )


def put_back(url: str, *, source: Path) -> None:
    """Load the dump in one transaction: all of it, or nothing."""
    with _engine(url) as engine, engine.connect() as connection:
        program = find_program("pg_restore", connection)
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
    _run(program, url, *options, str(source))


def take_back(url: str) -> None:
    """Remove what `put_back` and a migration made; the database was empty before."""
    with _engine(url) as engine, engine.begin() as connection:
        for statement in connection.execute(_REMOVALS).scalars().all():
            connection.execute(text(statement))


def find_program(name: str, connection: Connection) -> str:
    """The path of the program `name`; raises BackupError where it is missing or too old."""
    server = connection.execute(text("SHOW server_version_num")).scalar_one()
    major = int(server) // 10_000
    package = f"install postgresql-client-{major}"
    path = shutil.which(name)
    if path is None:
        raise BackupError(f"The program {name} is missing: {package}.")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r"(\d+)(\.\d+)?", said.stdout)
    if found is None or int(found[1]) < major:
        raise BackupError(
            f"{name} is of version {said.stdout.strip() or 'unknown'}, older than the server's "
            f"{major}: {package}."
        )
    return path


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _run(program: str, url: str, *options: str) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment, which others lack."""
    parts = conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1))
    password = parts.pop("password", None)
    secret = {"PGPASSWORD": str(password)} if password else {}
    conninfo = make_conninfo(**{name: str(value) for name, value in parts.items()})
    done = subprocess.run(  # noqa: S603 (a found program, a list of arguments)
        [program, f"--dbname={conninfo}", *options],
        env={**os.environ, **secret},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BackupError(f"{Path(program).name} failed: {done.stderr.strip()}")
