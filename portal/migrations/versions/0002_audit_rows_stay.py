"""Audit rows are sealed once and never changed or deleted: the database refuses it too"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FACTS = (
    "id",
    "at",
    "actor_id",
    "actor_name",
    "action",
    "object_kind",
    "object_id",
    "address",
)
_REFUSAL = "audit rows are sealed, never changed or deleted"


def upgrade() -> None:
    """Go forward."""
    for statement in _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)


def downgrade() -> None:
    """Go back."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    on = " ON audit_entry" if postgresql else ""
    op.execute(f"DROP TRIGGER audit_entry_no_delete{on}")
    op.execute(f"DROP TRIGGER audit_entry_no_update{on}")
    if postgresql:
        op.execute("DROP FUNCTION audit_entry_refuse()")


def _changed(differs: str, detail: str) -> str:
    """SQL that is true where a row is sealed already or one of its facts would change."""
    facts = [f"NEW.{name} {differs} OLD.{name}" for name in _FACTS]
    return " OR ".join(("OLD.digest IS NOT NULL", *facts, detail))


_SQLITE = (
    f"""CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
    BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END""",
    f"""CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
    WHEN {_changed("IS NOT", "NEW.detail IS NOT OLD.detail")}
    BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END""",
)
_JSON_CHANGED = "NEW.detail::text IS DISTINCT FROM OLD.detail::text"
_POSTGRESQL = (
    f"""CREATE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$""",
    """CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_refuse()""",
    f"""CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry FOR EACH ROW
    WHEN ({_changed("IS DISTINCT FROM", _JSON_CHANGED)})
    EXECUTE FUNCTION audit_entry_refuse()""",
)
