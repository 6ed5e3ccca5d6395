"""Make a bot."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import GantryError, invalid
from core.ids import new_id
from core.trace import current_trace_id
from fleet.closed_sets import ActivityEvent, PromotionMode, Stage, TradeSource
from fleet.partition_keys import partition_key
from services import events
from services.bots.costs import parse_costs, stored_costs
from services.bots.keys import free_keys
from sql.queries.bots import create as queries
from sql.tables.bots import Bot, BotBoundary, BotStageEvent, BotVersion
from trading.bars.schema import Timeframe
from trading.instruments import get_instrument
from trading.strategies.registry import get_strategy

_MONTH = re.compile(r"^[0-9]{4}-(0[1-9]|1[0-2])$")


@dataclass(frozen=True, slots=True)
class NewBot:
    """What a person asks for.

    costs: any of slippage_ticks (int), commission_usd (decimal text), contracts (int); the rest are the
    instrument's defaults. window_start, window_end: months "YYYY-MM" graded on, inclusive; None = all there is.
    """

    name: str
    symbol: str
    strategy: str
    timeframe: str = "1m"
    params: Mapping[str, object] = field(default_factory=dict)
    costs: Mapping[str, object] = field(default_factory=dict)
    window_start: str | None = None
    window_end: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class NewBotRows:
    """The rows of a new bot, not stored yet."""

    bot: Bot
    version: BotVersion
    boundaries: tuple[BotBoundary, ...]
    stage_event: BotStageEvent

    @property
    def message(self) -> str:
        """The feed's message."""
        return f"{self.bot.name} was created: {self.version.strategy} on {self.bot.symbol} {self.bot.timeframe}."

    @property
    def facts(self) -> dict[str, Any]:
        """The payload of the feed's line."""
        return {"strategy": self.version.strategy, "version": self.version.number}


def create_bot(session: Session, new: NewBot, *, actor: str, now: datetime) -> UUID:
    """Create a bot in LAB, promoted by hand only, with its first version; return its id (a unit: the caller commits).

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol, timeframe, strategy or parameter, or one out of
            bounds; CONFLICT, at the transaction's edge, for a name that an active bot has.

    """
    rows = rows_of_new_bot(new, actor=actor, now=now)
    free_keys(session, [rows.bot])
    queries.insert_bot(session, rows.bot, rows.version, rows.boundaries, rows.stage_event)
    events.publish(
        session, ActivityEvent.BOT_CREATED, rows.message, actor=actor, bot_id=rows.bot.id, payload=rows.facts
    )
    return rows.bot.id


def rows_of_new_bot(new: NewBot, *, actor: str, now: datetime, starter_key: str | None = None) -> NewBotRows:
    """Return the rows of a new bot; nothing is stored.

    Raises:
        GantryError: VALIDATION_FAILED, as `create`.

    """
    version, name = _first_version(new, now), checked_name(new.name)
    bot = Bot(
        id=version.bot_id,
        name=name,
        partition_key=partition_key(name, version.bot_id),
        symbol=new.symbol,
        timeframe=checked_timeframe(new.timeframe),
        stage=Stage.LAB,
        promotion_mode=PromotionMode.MANUAL,
        current_version_id=version.id,
        starter_key=starter_key,
        created_by=actor,
        trace_id=current_trace_id(),
        created_at=now,
        updated_at=now,
    )
    return NewBotRows(bot, version, _boundaries(bot.id, now), _stage_event(bot, actor, now))


def checked_name(name: str) -> str:
    """Return a bot's name without blanks around it.

    Raises:
        GantryError: VALIDATION_FAILED for one that is empty, too long or not printable.

    """
    stripped = name.strip()
    if not 1 <= len(stripped) <= 100 or not stripped.isprintable():
        raise invalid("A bot's name has 1 to 100 printable characters.", fix="Choose another name.", field="name")
    return stripped


def checked_timeframe(timeframe: str) -> Timeframe:
    """Return a timeframe.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown one.

    """
    try:
        return Timeframe(timeframe)
    except ValueError:
        known = ", ".join(Timeframe)
        raise invalid(f"Unknown timeframe {timeframe!r}.", fix=f"Use one of {known}.", field="timeframe") from None


def checked_window(start: str | None, end: str | None) -> dict[str, str | None]:
    """Return a window as it is stored.

    Raises:
        GantryError: VALIDATION_FAILED for what is not a month, or an end before its start.

    """
    for name, month in (("start", start), ("end", end)):
        if month is not None and not _MONTH.match(month):
            raise _bad_window(name, f"{month!r} is not a month.")
    if start and end and start > end:
        raise _bad_window("end", "The window ends before it starts.")
    return {"start": start, "end": end}


def _first_version(new: NewBot, now: datetime) -> BotVersion:
    instrument = get_instrument(new.symbol)
    strategy = get_strategy(new.strategy)
    return BotVersion(
        id=new_id(),
        bot_id=new_id(),
        number=1,
        strategy=strategy.name,
        params=asdict(strategy.parse(new.params)),
        costs=stored_costs(parse_costs(new.costs, instrument)),
        window=checked_window(new.window_start, new.window_end),
        reason_code="CREATED",
        trace_id=current_trace_id(),
        created_at=now,
    )


def _boundaries(bot_id: UUID, now: datetime) -> tuple[BotBoundary, ...]:
    return tuple(BotBoundary(bot_id=bot_id, source=source, epoch=0, updated_at=now) for source in TradeSource)


def _stage_event(bot: Bot, actor: str, now: datetime) -> BotStageEvent:
    return BotStageEvent(
        id=new_id(),
        bot_id=bot.id,
        from_stage=None,
        to_stage=Stage.LAB,
        event_type="CREATED",
        reason_code="CREATED",
        actor=actor,
        payload_json={},
        trace_id=current_trace_id(),
        created_at=now,
    )


def _bad_window(name: str, message: str) -> GantryError:
    return invalid(message, fix='Months look like "2024-01"; start is not after end.', field=f"window.{name}")
