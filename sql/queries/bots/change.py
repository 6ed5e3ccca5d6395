"""Reads under which a bot is changed."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sql.queries import current
from sql.tables.bots import Bot, BotVersion


def lock_bot(session: Session, bot_id: UUID) -> Bot | None:
    """Return a bot, archived or not, held against claims and other changes until the transaction ends.

    Rows that refer to it may still be written: who holds one of its jobs can end it, and isn't waited for crosswise.
    """
    query = select(Bot).where(Bot.id == bot_id).with_for_update(key_share=True)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def current_version(session: Session, bot: Bot) -> BotVersion:
    """Return the bot's current version."""
    return session.scalars(select(BotVersion).where(current.version_of(bot))).one()


def newest_number(session: Session, bot_id: UUID) -> int:
    """Return the highest number of the bot's versions, adopted or not."""
    return session.scalar(select(func.max(BotVersion.number)).where(BotVersion.bot_id == bot_id)) or 0
