"""One fetch of a month at a time, in all processes: a lock that is free again the moment its holder dies.

It is a session's lock, on a connection of its own and outside of any transaction, as it is held during a provider's
call. It is asked for again and again rather than waited for: a statement's time limit is shorter than a fetch.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine, NullPool, create_engine, func, select

from sql.engine import unavailable

FETCH_LOCK: Final = 0x6261_7273  # "bars"; the second key is the month's own
POLL_S: Final = 0.1


@contextmanager
def only_fetcher(engine: Engine, symbol: str, month: str, *, timeout_s: float) -> Iterator[bool]:
    """Hold a month's lock during the block; yield whether it had to be waited for.

    Raises:
        GantryError: DATABASE_UNAVAILABLE when it isn't free within `timeout_s` seconds.

    """
    alone = create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with alone.connect() as connection:
            waited = _wait(connection, symbol, month, timeout_s)
            yield waited
    finally:
        alone.dispose()


def _wait(connection: Connection, symbol: str, month: str, timeout_s: float) -> bool:
    key = func.hashtext(f"{symbol} {month}")
    ends_at = time.monotonic() + timeout_s
    waited = False
    while not connection.scalar(select(func.pg_try_advisory_lock(FETCH_LOCK, key))):
        waited = True
        if time.monotonic() > ends_at:
            raise unavailable(f"Somebody else has been fetching {symbol} {month} for too long.")
        time.sleep(POLL_S)
    return waited
