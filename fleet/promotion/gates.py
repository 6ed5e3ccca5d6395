"""Promotion gates: what each stage asks for, and what a gate says once it has looked."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from fleet.closed_sets import Stage

Value = int | float | str | bool | None


class GateName(StrEnum):
    """Every gate, in the order in which they are listed; the last four are what D5 asks of LIVE."""

    TRADES = "TRADES"
    WIN_RATE = "WIN_RATE"
    MAX_DRAWDOWN = "MAX_DRAWDOWN"
    PROFIT_FACTOR = "PROFIT_FACTOR"
    EXPECTANCY = "EXPECTANCY"
    SHARPE = "SHARPE"
    AGE_DAYS = "AGE_DAYS"
    LOSING_TRADES = "LOSING_TRADES"
    DATA_LABEL = "DATA_LABEL"
    LOOK_AHEAD_GUARD = "LOOK_AHEAD_GUARD"
    ROLLS_SEEN = "ROLLS_SEEN"
    TRADING_DAYS = "TRADING_DAYS"
    REPLAY_PARITY = "REPLAY_PARITY"
    WALK_FORWARD = "WALK_FORWARD"
    OVERFIT_RATIO = "OVERFIT_RATIO"
    STRESS_TEST = "STRESS_TEST"
    SECOND_PERSON = "SECOND_PERSON"
    TRADING_ENABLED = "TRADING_ENABLED"
    BROKER_CONNECTED = "BROKER_CONNECTED"
    RISK_ENGINE = "RISK_ENGINE"
    LIVE_DATA = "LIVE_DATA"


@dataclass(frozen=True, slots=True)
class Gate:
    """What one gate found. observed: JSON-ready, None where there is nothing to look at, which never meets a gate.

    complete: whether the reason itself says what was observed and what is required.
    """

    name: GateName
    observed: Value
    limit: Value
    met: bool
    reason: str
    complete: bool = False

    @property
    def sentence(self) -> str:
        """What was observed, what is required and why, each once."""
        seen = "nothing" if self.observed is None else self.observed
        return self.reason if self.complete else f"Observed {seen}, limit {self.limit}. {self.reason}"

    def as_json(self) -> dict[str, Any]:
        """Return the fields ready for JSON."""
        return {
            "gate": self.name.value,
            "observed": self.observed,
            "limit": self.limit,
            "met": self.met,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What a stage requires of a bot that enters it. None and False: the stage doesn't have this gate.

    trades: at least. win_rate: at least, 0..1. max_drawdown_fraction: at most, of starting capital. profit_factor:
    at least. expectancy_usd: at least, a trade. sharpe: at least, yearly. age_days: since the bot was made, at least.
    losing_trades: at least. vendor_data: only a vendor's bars count; in development imported ones do too,
    and simulated ones for a person.
    look_ahead: the guards were run and passed. rolls_seen: the newest backtest's bars name their contracts.
    trading_days: whole ones in the stage below, at least. replay_parity: measured and held. walk_forward: profitable
    out-of-sample folds over folds, at least. overfit_ratio: in-sample over out-of-sample Sharpe ratio, at most.
    stress_test: a profit out-of-sample at doubled costs. second_person: approved by another one than who asked.
    live_safety: what D5 asks before any order leaves.
    """

    trades: int
    win_rate: float
    max_drawdown_fraction: float
    profit_factor: float
    expectancy_usd: Decimal
    sharpe: float
    age_days: int | None = None
    losing_trades: int | None = None
    vendor_data: bool = False
    look_ahead: bool = False
    rolls_seen: bool = False
    trading_days: int | None = None
    replay_parity: bool = False
    walk_forward: float | None = None
    overfit_ratio: float | None = None
    stress_test: bool = False
    second_person: bool = False
    live_safety: bool = False


LIMITS: Final[Mapping[Stage, GateLimits]] = {
    Stage.PAPER: GateLimits(
        *(50, 0.35, 0.20, 1.2, Decimal(10), 0.5), age_days=1, losing_trades=1, vendor_data=True, look_ahead=True
    ),
    Stage.SHADOW: GateLimits(
        *(100, 0.40, 0.15, 1.3, Decimal(15), 0.7), rolls_seen=True, trading_days=5, replay_parity=True
    ),
    Stage.CANARY: GateLimits(
        *(200, 0.45, 0.12, 1.4, Decimal(20), 0.9),
        rolls_seen=True,
        trading_days=10,
        walk_forward=0.5,
        overfit_ratio=2.5,
        second_person=True,
    ),
    Stage.LIVE: GateLimits(
        *(300, 0.48, 0.10, 1.5, Decimal(25), 1.0),
        rolls_seen=True,
        trading_days=14,
        walk_forward=0.6,
        overfit_ratio=2.0,
        stress_test=True,
        second_person=True,
        live_safety=True,
    ),
}
PAPER_LIMITS: Final = LIMITS[Stage.PAPER]
