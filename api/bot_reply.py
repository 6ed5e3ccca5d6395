"""A bot as routes answer it: whole, with its revision as ETag."""

from datetime import datetime
from uuid import UUID

from fastapi import Response
from sqlalchemy.orm import Session

from api.envelope import OneOf
from api.etags import etag
from services.bots.read import BotView, get_bot
from shapes.bots import BotDetailBody


def bot_reply(session: Session, bot_id: UUID, response: Response, *, now: datetime) -> OneOf[BotDetailBody]:
    """Answer the bot as it is in this transaction, with its ETag.

    Raises:
        GantryError: NOT_FOUND.

    """
    return OneOf(data=BotDetailBody.whole(bot_with_etag(session, bot_id, response, now=now)))


def bot_with_etag(session: Session, bot_id: UUID, response: Response, *, now: datetime) -> BotView:
    """Return the bot as it is in this transaction, and put its ETag on the response.

    Raises:
        GantryError: NOT_FOUND.

    """
    view = get_bot(session, bot_id, now=now)
    response.headers["ETag"] = etag(view.revision)
    return view
