"""What is known of a bot when it is to be promoted. None is what nobody measured: it never meets a gate."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fleet.closed_sets import DataLabel, TradeSource


@dataclass(frozen=True, slots=True)
class EvidenceFigures:
    """Results of one source since the boundary.

    trades: None when there is nothing to count in. win_rate: 0..1. max_drawdown_fraction: of starting capital.
    profit_factor: None without a losing trade. expectancy_usd: a trade. sharpe: yearly; None with fewer than two days.
    """

    trades: int | None = None
    losing_trades: int | None = None
    win_rate: float | None = None
    max_drawdown_fraction: float | None = None
    profit_factor: float | None = None
    expectancy_usd: Decimal | None = None
    sharpe: float | None = None


@dataclass(frozen=True, slots=True)
class Robustness:
    """What the improvement that made the present version showed.

    walk_forward: 0..1. overfit_ratio: None where out-of-sample nothing was won. stress_usd: out-of-sample at doubled
    costs.
    """

    walk_forward: float | None
    overfit_ratio: float | None
    stress_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class LiveSafety:
    """What D5 asks of LIVE; unknown counts as missing."""

    trading_enabled: bool | None = None
    broker_connected: bool | None = None
    risk_engine: bool | None = None
    live_data: bool | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that gates look at.

    source: where the figures come from. missing: why figures aren't there, a sentence. development: imported bars are
    evidence too, and simulated ones to a person. automatic: the planner promotes, not a person. rolls_seen: whether all
    bars of the newest backtest name their contracts; None without one. trading_days: whole ones in the present stage.
    robustness: None when no improvement made the present version. requested_by, approved_by: ids of persons.
    """

    source: TradeSource
    figures: EvidenceFigures
    missing: str
    created_at: datetime
    development: bool
    automatic: bool = False
    data_label: DataLabel | None = None
    look_ahead_passed: bool | None = None
    rolls_seen: bool | None = None
    trading_days: int | None = None
    replay_parity: bool | None = None
    robustness: Robustness | None = None
    requested_by: str | None = None
    approved_by: str | None = None
    live: LiveSafety = LiveSafety()
