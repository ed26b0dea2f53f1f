"""Names of tables and columns in SQL text: always quoted, by SQLAlchemy's own rules."""

from sqlalchemy.engine.default import DefaultDialect

_PREPARER = DefaultDialect(paramstyle="named").identifier_preparer


def quoted(name: str) -> str:
    """`name` in quotes, whatever characters it has, for text that takes no parameters."""
    return _PREPARER.quote_identifier(name)


def escaped(sql: str, *, dialect: str) -> str:
    """Double the percent signs of `sql` where the driver would take them for parameters."""
    return sql.replace("%", "%%") if dialect == "postgresql" else sql
