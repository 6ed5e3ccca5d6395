"""Changes of a bot: what it is called, what it is made of, and its end. Each grows its revision."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind
from core.ids import new_id
from core.trace import current_trace_id
from fleet.closed_sets import ActivityEvent, PromotionMode
from fleet.jobs import JobReason
from services import events
from services.bots.costs import parse_costs, stored_costs
from services.bots.create import checked_name, checked_timeframe, checked_window
from services.finding import unknown_bot
from services.jobs.cancel import cancel_active
from sql.queries.bots import change as queries
from sql.tables.bots import Bot, BotVersion
from trading.instruments import get_instrument
from trading.strategies.registry import get_strategy


@dataclass(frozen=True, slots=True)
class BotChange:
    """What is to be different; None leaves a thing as it is, and what a mapping doesn't name stays too.

    costs: None for one means the instrument's default again. window: None for an end means all there is.
    promotion_mode: AUTO lets the planner promote the bot once its gates are met.
    """

    name: str | None = None
    timeframe: str | None = None
    params: Mapping[str, object] | None = None
    costs: Mapping[str, object | None] | None = None
    window: Mapping[str, str | None] | None = None
    promotion_mode: PromotionMode | None = None


class StaleRevision(GantryError):  # noqa: N818 - named for what it is
    """The bot isn't any more as the caller saw it."""

    def __init__(self, bot: Bot) -> None:
        super().__init__(
            ErrorCode.CONFLICT,
            f"{bot.name} was changed by another request: its revision is {bot.revision}.",
            fix="Read the bot again, and send its present revision: as ETag in If-Match, or with --revision.",
            kind=Kind.CONFLICT,
            facts={"revision": bot.revision},
        )


def change_bot(
    session: Session, bot_id: UUID, wanted: BotChange, *, revisions: frozenset[int] | None, actor: str, now: datetime
) -> bool:
    """Change a bot; return whether anything is different now (a unit: the caller commits).

    What it is made of becomes a new version; a job that runs ends under the version it began with.
    revisions: those the caller's change is meant for; None for any.

    Raises:
        GantryError: NOT_FOUND; VALIDATION_FAILED; CONFLICT for an archived bot, as StaleRevision for another
            revision, and at the transaction's edge for a name that an active bot has.

    """
    bot = _locked(session, bot_id)
    if bot.archived_at is not None:
        raise GantryError(
            ErrorCode.CONFLICT, f"{bot.name} is archived.", fix="Create a new bot instead.", kind=Kind.CONFLICT
        )
    if revisions is not None and bot.revision not in revisions:
        raise StaleRevision(bot)
    old = queries.current_version(session, bot)
    before, after = _state(bot, old), _wanted_state(bot, old, wanted)
    different = {name: {"from": before[name], "to": after[name]} for name in after if before[name] != after[name]}
    if not different:
        return False
    bot.name, bot.timeframe, bot.promotion_mode = after["name"], after["timeframe"], after["promotion_mode"]
    bot.revision, bot.updated_at = bot.revision + 1, now
    number = old.number
    if different.keys() - {"name", "promotion_mode"}:
        version = _next_version(session, old, after, now)
        number, bot.current_version_id = version.number, version.id
    session.flush()
    events.publish(
        session,
        ActivityEvent.BOT_CHANGED,
        f"{before['name']} was changed: {', '.join(sorted(different))}.",
        actor=actor,
        bot_id=bot.id,
        payload={"changed": different, "revision": bot.revision, "version": number},
    )
    return True


def archive_bot(
    session: Session, bot_id: UUID, *, actor: str, now: datetime, revisions: frozenset[int] | None = None
) -> datetime:
    """Archive a bot and cancel its active job; return when it was archived (a unit: the caller commits).

    An archived bot stays as it is. What its job's worker still computes is not written.
    revisions: those the caller means; None for any.

    Raises:
        GantryError: NOT_FOUND; CONFLICT, as StaleRevision, for another revision.

    """
    bot = _locked(session, bot_id)
    if bot.archived_at is not None:
        return bot.archived_at
    if revisions is not None and bot.revision not in revisions:
        raise StaleRevision(bot)
    canceled = cancel_active(session, bot.id, reason=JobReason.ARCHIVED, actor=actor)
    bot.archived_at = bot.updated_at = now
    bot.revision += 1
    session.flush()
    events.publish(
        session,
        ActivityEvent.BOT_ARCHIVED,
        f"{bot.name} was archived.",
        actor=actor,
        bot_id=bot.id,
        payload={"canceled_jobs": [str(job_id) for job_id in canceled]},
    )
    return now


def _locked(session: Session, bot_id: UUID) -> Bot:
    bot = queries.lock_bot(session, bot_id)
    if bot is None:
        raise unknown_bot(bot_id)
    return bot


def _state(bot: Bot, version: BotVersion) -> dict[str, Any]:
    return {
        "name": bot.name,
        "timeframe": bot.timeframe,
        "promotion_mode": bot.promotion_mode,
        "params": version.params,
        "costs": version.costs,
        "window": version.window,
    }


def _wanted_state(bot: Bot, version: BotVersion, wanted: BotChange) -> dict[str, Any]:
    """Return what the bot is to be, valid as a whole; what isn't requested stays as it is stored."""
    state = _state(bot, version)
    if wanted.name is not None:
        state["name"] = checked_name(wanted.name)
    if wanted.timeframe is not None:
        state["timeframe"] = checked_timeframe(wanted.timeframe).value
    if wanted.promotion_mode is not None:
        state["promotion_mode"] = wanted.promotion_mode.value
    if wanted.params is not None:
        state["params"] = asdict(get_strategy(version.strategy).parse({**version.params, **wanted.params}))
    if wanted.costs is not None:
        costs = {name: value for name, value in {**version.costs, **wanted.costs}.items() if value is not None}
        state["costs"] = stored_costs(parse_costs(costs, get_instrument(bot.symbol)))
    if wanted.window is not None:
        window = {**version.window, **wanted.window}
        state["window"] = checked_window(window["start"], window["end"])
    return state


def _next_version(session: Session, old: BotVersion, after: Mapping[str, Any], now: datetime) -> BotVersion:
    version = BotVersion(
        id=new_id(),
        bot_id=old.bot_id,
        number=queries.newest_number(session, old.bot_id) + 1,
        parent_id=old.id,
        strategy=old.strategy,
        params=after["params"],
        costs=after["costs"],
        window=after["window"],
        reason_code="CHANGED",
        trace_id=current_trace_id(),
        created_at=now,
    )
    session.add(version)
    return version
