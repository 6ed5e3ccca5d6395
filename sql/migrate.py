"""Bring the domain schema up to date: `upgrade(owner_url)`. Idempotent, one at a time, fails rather than waits long."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from sql.engine import connect, translate

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_KEY = 0x6761_6E74  # "gant"


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration without a file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(owner_url: str) -> str:
    """Run what is missing, in one transaction, and make Dagster's schema. Returns the revision reached.

    Raises:
        GantryError: DATABASE_UNAVAILABLE when a lock isn't to be had within 5 s, or nothing answers.

    """
    engine = connect(owner_url, pool_size=1)
    try:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = '10min'"))
            connection.execute(text("SET LOCAL lock_timeout = '60s'"))  # another upgrade may be at work
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS dagster"))
            command.upgrade(configuration(connection), "head")
        return head()
    except DBAPIError as error:
        translated = translate(error)
        if translated is None:
            raise
        raise translated from error
    finally:
        engine.dispose()


def head() -> str:
    """Return the newest revision in code."""
    return ScriptDirectory.from_config(configuration()).get_current_head() or ""


def current(connection: Connection) -> str | None:
    """Return the revision the database is at."""
    return MigrationContext.configure(connection).get_current_revision()
