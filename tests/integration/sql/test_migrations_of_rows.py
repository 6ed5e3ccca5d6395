"""What migrations do to rows that are there."""

from uuid import UUID

import psycopg
from alembic import command

from core.ids import new_id
from fleet.partition_keys import partition_key
from sql.embedded import RunningState
from sql.engine import connect
from sql.migrate import configuration, upgrade

INSERT = """
INSERT INTO bots (id, name, symbol, timeframe, created_by, trace_id, archived_at)
VALUES (%s, %s, 'ES', '1m', 'test', '', %s)
"""
NAMES = (
    "NQ RSI Reversion 1",
    "  ES / sma_cross (2) ",
    "Grüße aus Köln",
    "Ångström ﬁne №5",
    "日本",
    "🚀",
    "ÄÖÜ",
    "-a--b-",
    "x" * 100,
    "x" * 90 + " yz",
    "İstanbul ǅ",
)


def upgrade_to(state: RunningState, revision: str) -> None:
    engine = connect(state.owner_url)
    with engine.begin() as connection:
        command.upgrade(configuration(connection), revision)
    engine.dispose()


def test_stored_bots_get_the_key_they_would_be_made_with_and_of_two_alike_the_older_keeps_it(
    empty_database: RunningState,
) -> None:
    upgrade_to(empty_database, "0013")
    made = {new_id(): name for name in NAMES}
    older, younger = UUID("00000000-0001-7000-8000-00009c2f10ab"), UUID("00000000-0002-7000-8000-11119c2f10ab")
    with psycopg.connect(empty_database.owner_url) as connection:
        for bot_id, name in made.items():
            connection.execute(INSERT, (bot_id, name, None))
        connection.execute(INSERT, (older, "one", "2024-01-01T00:00Z"))
        connection.execute(INSERT, (younger, "One!", None))
    upgrade(empty_database.owner_url)
    with psycopg.connect(empty_database.owner_url) as connection:
        found = {row[0]: row[1] for row in connection.execute("SELECT id, partition_key FROM bots")}
    assert found == {bot_id: partition_key(name, bot_id) for bot_id, name in made.items()} | {
        older: "one-9c2f10ab",
        younger: f"one-{younger.hex}",
    }
