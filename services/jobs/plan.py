"""What a job is to run: read once from stored rows as a worker takes it, and the right it holds to the job."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.errors import GantryError, invalid
from fleet.closed_sets import BacktestKind, JobType
from sql.tables.bots import Bot, BotVersion
from trading.backtest.types import Costs


@dataclass(frozen=True, slots=True)
class BarsKey:
    """Which bars a bot is graded on; bots with the same key share one reading of them."""

    symbol: str
    timeframe: str
    start: str | None
    end: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a bot's version says to run, read once at the claim. fault: why its row can't be read."""

    bot_id: UUID
    bars: BarsKey
    strategy: str
    params: Mapping[str, Any]
    costs: Costs
    fault: GantryError | None = None


def plan_of(bot: Bot, version: BotVersion) -> Plan:
    """Read what to run from stored rows; one that can't be read fails its own job, never the claim of others."""
    try:
        costs, window = version.costs, version.window
        return Plan(
            bot.id,
            BarsKey(bot.symbol, bot.timeframe, window["start"], window["end"]),
            version.strategy,
            dict(version.params),
            Costs(int(costs["slippage_ticks"]), Decimal(costs["commission_usd"]), int(costs["contracts"])),
        )
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        fault = invalid(
            f"Version {version.number} of the bot can't be read: {type(error).__name__}: {error}.",
            fix="Create a new version: PATCH the bot's parameters, costs or window.",
        )
        key = BarsKey(bot.symbol, bot.timeframe, *_ends(version.window))
        return Plan(bot.id, key, version.strategy, {}, Costs(0, Decimal(0), 1), fault)


def _ends(window: object) -> tuple[str | None, str | None]:
    """Return as much of a window as can be read: what else is wrong with a version, its bars are what they are."""
    found = window if isinstance(window, Mapping) else {}
    start, end = found.get("start"), found.get("end")
    return start if isinstance(start, str) else None, end if isinstance(end, str) else None


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's right to a job: everything it writes is guarded by the token. epoch: copied at the claim."""

    job_id: UUID
    bot_id: UUID
    version_id: UUID
    token: UUID
    epoch: int
    attempt: int
    max_attempts: int
    root_job_id: UUID
    started_at: datetime
    trace_id: str
    actor: str
    plan: Plan
    job_type: JobType = JobType.BACKTEST
    kind: BacktestKind | None = None
