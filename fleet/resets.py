"""Resets and reverts: what they cover, and for how long a reverted bot stays where it is."""

from datetime import timedelta
from typing import Final

from fleet.closed_sets import MetricsScope, TradeSource

SOURCES_OF: Final[dict[MetricsScope, frozenset[TradeSource]]] = {
    MetricsScope.ALL: frozenset(TradeSource),
    MetricsScope.BACKTEST_ONLY: frozenset({TradeSource.BACKTEST}),
    MetricsScope.PAPER_ONLY: frozenset({TradeSource.PAPER, TradeSource.SHADOW}),
    MetricsScope.LIVE_ONLY: frozenset({TradeSource.CANARY, TradeSource.LIVE}),
}
RESET_REASON: Final = "SEV1_RESET_METRICS"
REVERT_REASON: Final = "BULK_REVERT_SEV1_RESET"
LOCK_HOURS: Final = 24
MAX_LOCK_HOURS: Final = 24 * 365


def asks_for_baseline(scope: MetricsScope) -> bool:
    """Whether a reset of that scope needs a new baseline: what runs meanwhile is canceled."""
    return TradeSource.BACKTEST in SOURCES_OF[scope]


def lock_of(hours: int) -> timedelta:
    """Return how long a reverted bot's stage is locked."""
    return timedelta(hours=hours)
