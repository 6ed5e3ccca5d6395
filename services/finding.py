"""Find a bot: by id or by name, locked or not, or the error that says it is not there."""

from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind, not_found
from sql.queries.bots import read as bot_queries
from sql.tables.bots import Bot

_SHOWN: Final = 5


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
    """Return the id of the active bot that has this name, else of the archived one.

    Raises:
        GantryError: NOT_FOUND; CONFLICT, with their ids, where only archived bots have the name, and several do.

    """
    active = bot_queries.bot_id_of(session, name)
    if active is not None:
        return active
    archived = bot_queries.archived_ids_of(session, name)
    if not archived:
        raise not_found("bot named", name, fix="List them: gantry bots list, or gantry bots list --archived.")
    if len(archived) > 1:
        raise GantryError(
            ErrorCode.CONFLICT,
            f"{len(archived)} archived bots were named {name}.",
            fix=f"Use an id; the last archived first: {', '.join(map(str, archived[:_SHOWN]))}.",
            kind=Kind.CONFLICT,
            facts={"bot_ids": [str(bot_id) for bot_id in archived]},
        )
    return archived[0]


def unknown_bot(bot_id: UUID) -> GantryError:
    """Return the error for an unknown bot."""
    return not_found("bot", bot_id, fix="List them: gantry bots list, or GET /api/bots.")
