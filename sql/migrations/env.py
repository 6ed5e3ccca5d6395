"""Alembic's entry: runs the migrations on the connection that `sql.migrate` hands over."""

from alembic import context

from sql.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
context.run_migrations()
