"""Alembic's entry: it migrates on the connection that `portal.migrations.run` hands over."""

from alembic import context

from portal.migrations.metadata import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
