"""Limits that results are held against; see the promotion gates in docs."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class GateLimits:
    """The figures a stage asks for.

    trades: at least. win_rate: at least, 0..1. max_drawdown_fraction: at most, of starting capital. profit_factor:
    at least. expectancy_usd: at least, a trade. sharpe: at least, yearly.
    """

    trades: int
    win_rate: float
    max_drawdown_fraction: float
    profit_factor: float
    expectancy_usd: Decimal
    sharpe: float


PAPER_LIMITS: Final = GateLimits(50, 0.35, 0.20, 1.2, Decimal(10), 0.5)
