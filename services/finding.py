"""Find a bot: by id or by name, locked or not, or the error that says it is not there."""

from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind, not_found
from sql.queries.bots import read as bot_queries
from sql.tables.bots import Bot


def require_bot(session: Session, bot_id: UUID) -> None:
    """Check that there is such a bot.

    Raises:
        GantryError: NOT_FOUND.

    """
    if session.get(Bot, bot_id) is None:
        raise unknown_bot(bot_id)


def lock_bot(session: Session, bot_id: UUID) -> Bot:
    """Return a bot that is not archived, locked until the transaction ends.

    Raises:
        GantryError: NOT_FOUND; CONFLICT for an archived one.

    """
    # Not FOR UPDATE: a row that refers to the bot, such as the retry of a lost job, needn't wait for this.
    bot = session.get(Bot, bot_id, with_for_update={"key_share": True})
    if bot is None:
        raise unknown_bot(bot_id)
    if bot.archived_at is not None:
        raise GantryError(
            ErrorCode.CONFLICT, f"{bot.name} is archived.", fix="Create a new bot instead.", kind=Kind.CONFLICT
        )
    return bot


def bot_named(session: Session, name: str) -> UUID:
    """Return the id of the bot that has this name and is not archived.

    Raises:
        GantryError: NOT_FOUND.

    """
    bot_id = bot_queries.bot_id_of(session, name)
    if bot_id is None:
        raise not_found("bot named", name, fix="List them: gantry bots list.")
    return bot_id


def unknown_bot(bot_id: UUID) -> GantryError:
    """Return the error for an unknown bot."""
    return not_found("bot", bot_id, fix="List them: gantry bots list, or GET /api/bots.")
