"""Run by alembic: migrates the connection that `pipeline.sinks.database.schema` gives it."""

from alembic import context

from pipeline.sinks.database.schema import revision_table, tables

given = context.config.attributes
context.configure(
    connection=given["connection"],
    target_metadata=tables(given["schema"], given["prefix"]).metadata,  # it names constraints
    version_table=revision_table(given["prefix"]),
    version_table_schema=given["schema"],
    transactional_ddl=True,  # in SQLite too: a transaction begins before the first statement
)
with context.begin_transaction():
    context.run_migrations()
