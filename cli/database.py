"""The settings' database and folder of bars, opened for one command."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from sqlalchemy.orm import Session

    from core.settings import Settings
    from integrations.store import BarsStore
    from sql.engine import Transactions


@dataclass(frozen=True, slots=True)
class Opened:
    """The settings' database and folder of bars."""

    tx: Transactions
    store: BarsStore


@contextmanager
def connected(settings: Settings | None = None, *, pool_size: int = 1) -> Iterator[Transactions]:
    """Connect to the settings' database as the application.

    Raises:
        GantryError: DATABASE_UNAVAILABLE.

    """
    from core.settings import get_settings
    from sql.engine import connect, database_urls, transactions

    engine = connect(database_urls(settings or get_settings()).app, pool_size=pool_size)
    try:
        yield transactions(engine)
    finally:
        engine.dispose()


@contextmanager
def database() -> Iterator[Session]:
    """Open one transaction on the settings' database."""
    with connected() as tx, tx() as session:
        yield session


@contextmanager
def trial(session: Session, *, dry_run: bool) -> Iterator[None]:
    """Carry out the block; a dry run is the same code, rolled back at its end."""
    with session.begin_nested() as inner:
        yield
        if dry_run:
            inner.rollback()


@contextmanager
def opened(*, pool_size: int = 1) -> Iterator[Opened]:
    """Connect to the settings' database, and find the folder of bars."""
    from core.settings import get_settings
    from integrations.store import BarsStore

    settings = get_settings()
    with connected(settings, pool_size=pool_size) as tx:
        yield Opened(tx, BarsStore(str(settings.gantry_home / "bars")))


def bot_id_of(session: Session, bot: str) -> UUID:
    """Return the id of a bot named by id or name.

    Raises:
        GantryError: NOT_FOUND.

    """
    from uuid import UUID

    from services.finding import bot_named

    try:
        return UUID(bot)
    except ValueError:
        return bot_named(session, bot)
