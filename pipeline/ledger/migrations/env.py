"""Run by alembic: migrates the connection that `pipeline.ledger.schema.upgrade` gives it."""

from alembic import context

from pipeline.ledger.schema import REVISION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=REVISION_TABLE,
    transactional_ddl=True,  # in SQLite too: see `isolation_level` in pipeline/ledger/database.py
)
with context.begin_transaction():
    context.run_migrations()
