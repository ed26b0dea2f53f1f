"""What PostgreSQL knows of its tables besides what SQLAlchemy asks it: types in words, sequences.

Sources: the manual's chapters "System Catalogs" and "System Information Functions".
"""

from dataclasses import dataclass

from sqlalchemy import Connection

_COLUMNS = """
SELECT c.relname, a.attname,
       format_type(a.atttypid, a.atttypmod) AS declared,
       format_type(a.atttypid, -1) AS cast_type,
       pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname)
         AS counter
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
  AND a.attnum > 0 AND NOT a.attisdropped
"""
# A row of the catalogs gets a new xmin whenever it changes, so their sum stands for the schema.
_VERSION = """
SELECT md5(string_agg(part, ',' ORDER BY part)) FROM (
  SELECT 'c' || count(*) || ':' || coalesce(sum(hashtext(oid::text || xmin::text)::bigint), 0)
    AS part FROM pg_class WHERE relnamespace = current_schema()::regnamespace
  UNION ALL
  SELECT 'a' || count(*) || ':' || coalesce(sum(hashtext(attnum::text || a.xmin::text)::bigint), 0)
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace = current_schema()::regnamespace
  UNION ALL
  SELECT 'k' || count(*) || ':' || coalesce(sum(hashtext(oid::text || xmin::text)::bigint), 0)
    FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
  UNION ALL
  SELECT 'd' || count(*) || ':' || coalesce(sum(hashtext(oid::text || xmin::text)::bigint), 0)
    FROM pg_attrdef
  UNION ALL
  SELECT 'e' || count(*) || ':' || coalesce(sum(hashtext(oid::text || xmin::text)::bigint), 0)
    FROM pg_enum
  UNION ALL
  SELECT 't' || count(*) || ':' || coalesce(sum(hashtext(objoid::text || xmin::text)::bigint), 0)
    FROM pg_description WHERE classoid = 'pg_class'::regclass
) AS parts
"""


@dataclass(frozen=True, kw_only=True)
class PostgresColumn:
    """A column's type as it was declared, the same without its limits, and its sequence."""

    declared: str
    cast: str
    counter: str | None


def columns_of(connection: Connection) -> dict[tuple[str, str], PostgresColumn]:
    """The columns of all tables in the current schema, by table and name."""
    return {
        (row.relname, row.attname): PostgresColumn(
            declared=row.declared, cast=row.cast_type, counter=row.counter
        )
        for row in connection.exec_driver_sql(_COLUMNS)
    }


def schema_version(connection: Connection) -> str:
    """Something that changes whenever a table does."""
    return str(connection.exec_driver_sql(_VERSION).scalar_one())
