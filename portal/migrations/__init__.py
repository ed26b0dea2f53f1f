"""The schema of Portal's own database, step by step (Alembic)."""
