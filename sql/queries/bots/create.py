"""Bots and what belongs to one from its birth: version, boundaries, first stage event."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from sql.tables.bots import Bot, BotBoundary, BotStageEvent, BotVersion


def insert_bot(
    session: Session, bot: Bot, version: BotVersion, boundaries: Sequence[BotBoundary], event: BotStageEvent
) -> None:
    """Insert a bot with its first version, one boundary for each trade source, and its stage event.

    Raises:
        IntegrityError: uq_bots_name_active, when an active bot has the name; see `sql.constraints`.

    """
    session.add(bot)
    session.flush()  # the tables name each other by key alone, so the order is ours to keep
    session.add(version)
    session.add_all(boundaries)
    session.add(event)
    session.flush()
