"""One fetch of a month at a time, in all processes: a lock that is free again the moment its holder dies.

It is a session's lock, on a connection of its own and outside of any transaction, as it is held during a provider's
call. It is polled rather than waited for: a statement's time limit is shorter than a fetch.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psycopg
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from sql.engine import translate, unavailable

FETCH_LOCK: Final = 0x6261_7273  # "bars"; the second key is the month's own
POLL_S: Final = 0.1


@contextmanager
def only_fetcher(engine: Engine, symbol: str, month: str, *, timeout_s: float) -> Iterator[None]:
    """Hold a month's lock during the block.

    Raises:
        GantryError: DATABASE_UNAVAILABLE when it isn't free within `timeout_s` seconds, or Postgres is away.

    """
    with _alone(engine) as connection:
        ends_at = time.monotonic() + timeout_s
        while not _taken(connection, f"{symbol} {month}"):
            if time.monotonic() > ends_at:
                raise unavailable(f"Somebody else has been fetching {symbol} {month} for too long.")
            time.sleep(POLL_S)
        yield


@contextmanager
def if_nobody_else(engine: Engine, symbol: str) -> Iterator[bool]:
    """Hold a symbol's lock during the block if it is free; yield whether it was."""
    with _alone(engine) as connection:
        yield _taken(connection, symbol)


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A connection made like those of the pool, but not of it: closing it gives up what it holds."""
    try:
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()
    except (SQLAlchemyError, psycopg.Error) as error:
        raise translate(error) or error from error
    try:
        yield connection
    finally:
        with suppress(SQLAlchemyError, psycopg.Error):
            connection.close()


def _taken(connection: Connection, name: str) -> bool:
    try:
        return bool(connection.scalar(select(func.pg_try_advisory_lock(FETCH_LOCK, func.hashtext(name)))))
    except (SQLAlchemyError, psycopg.Error) as error:
        raise translate(error) or error from error
