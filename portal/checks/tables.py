"""The tables database: does it answer, is it apart from the portal's, have its tables keys?"""

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from portal.backups.sqlite import database_file
from portal.checks.finding import Finding, advice, error
from portal.db import reading
from portal.runtime import Runtime
from portal.tables.reflection import WrongDatabaseError, reflect


def check_tables(runtime: Runtime) -> Iterator[Finding]:
    """Findings about the tables database; one that is not there yet is made when it is needed."""
    url = runtime.settings.tables
    if url.startswith("sqlite") and not database_file(url).exists():
        if runtime.settings.tables_url and not database_file(url).parent.is_dir():
            yield error(
                f"The folder of the tables database {database_file(url)} does not exist.",
                "Make it, or correct PORTAL_TABLES_URL.",
            )
        return
    try:
        with reading(runtime.tables).connect() as connection:
            tables = reflect(connection)
    except WrongDatabaseError as refused:
        yield error("The tables database is that of a portal.", str(refused))
        return
    except SQLAlchemyError as fault:
        said = " ".join(str(getattr(fault, "orig", None) or fault).split()).rstrip(".")
        yield error(
            f"The tables database does not answer: {said}.",
            "Start it, or correct PORTAL_TABLES_URL.",
        )
        return
    loose = [name for name, shape in tables.items() if not shape.key]
    if loose:
        yield advice(
            f"Nothing can be imported into tables without a key: {', '.join(loose[:5])}"
            f"{f' and {len(loose) - 5} more' if len(loose) > 5 else ''}.",
            "Give them a primary key.",
        )
