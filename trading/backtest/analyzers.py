"""Analyzers: what looks wrong in a result, whatever the strategy: dead equity, fills that no market gave, no evidence.

They judge, they don't stop: a finding is stored with the session and shown.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.words import counted
from trading.backtest.findings import Check, Finding
from trading.backtest.types import BacktestResult, Costs, ExitReason
from trading.bars.contracts import rolls_unseen
from trading.bars.schema import IntArray
from trading.bars.series import Window

MIN_TRADES: Final = 30
FLAT_SHARE: Final = 0.5  # of the trading days in a row without any change of equity
STALE_SHARE: Final = 0.01
STALE_BARS: Final = 5  # identical bars in a row: a quote that stands still, or a source that fills gaps


def run_analyzers(windows: tuple[Window, ...], costs: Costs, result: BacktestResult) -> tuple[Finding, ...]:
    """Run every analyzer on a result and the windows it came from."""
    kept = tuple(window for window in windows if len(window))
    return (
        flat_equity(result),
        stale_fills(kept, result),
        fill_prices(kept, costs, result),
        too_few_trades(result),
        rolls_seen(kept),
    )


def flat_equity(result: BacktestResult) -> Finding:
    """Find equity that stands still. observed: longest share of the trading days, in a row, without a change."""
    days = np.flatnonzero(np.concatenate(([True], result.session[1:] != result.session[:-1])))
    if not len(result.ts):
        return Finding(Check.FLAT_EQUITY, False, None, "There is no equity.")
    low, high = np.minimum.reduceat(result.equity_e4, days), np.maximum.reduceat(result.equity_e4, days)
    before = np.concatenate(([0], result.equity_e4[days[1:] - 1]))
    still = (low == high) & (high == before)
    share = _longest_run(still) / len(days)
    message = f"Equity doesn't change for up to {share:.0%} of {len(days)} trading days in a row."
    return Finding(Check.FLAT_EQUITY, share <= FLAT_SHARE, round(share, 4), message)


def stale_fills(windows: tuple[Window, ...], result: BacktestResult) -> Finding:
    """Find fills on bars without trade or at the end of identical bars. observed: their share of the fills."""
    fills = np.concatenate((result.trades.entry_bar, result.trades.exit_bar))
    if not len(fills):
        return Finding(Check.STALE_FILLS, True, None, "There are no fills.")
    volume = _column(windows, attrgetter("bars.volume"))
    # A source that never states volume says nothing of single bars.
    stale = (volume[fills] == 0) if volume.any() else np.zeros(len(fills), np.bool_)
    stale |= _stands_still(windows, fills)
    share = float(stale.mean())
    message = f"{share:.2%} of {len(fills)} fills are on bars without movement."
    return Finding(Check.STALE_FILLS, share <= STALE_SHARE, round(share, 6), message)


def fill_prices(windows: tuple[Window, ...], costs: Costs, result: BacktestResult) -> Finding:
    """Find fills at prices their bar never had, slippage taken off. observed: their number.

    A fill at a roll's price of the old contract has no bar here and is left out.
    """
    trades = result.trades
    low, high = _column(windows, attrgetter("low_ticks")), _column(windows, attrgetter("high_ticks"))
    contract = _column(windows, attrgetter("bars.contract"))
    slipped = np.where(trades.reason == ExitReason.TARGET, 0, costs.slippage_ticks)
    entry = trades.entry_ticks - trades.side * costs.slippage_ticks
    exit_ = trades.exit_ticks + trades.side * slipped
    wrong = (entry < low[trades.entry_bar]) | (entry > high[trades.entry_bar])
    here = contract[trades.exit_bar] == trades.contract
    wrong_exit = here & ((exit_ < low[trades.exit_bar]) | (exit_ > high[trades.exit_bar]))
    count = int(wrong.sum() + wrong_exit.sum())
    message = f"{count} of {2 * len(trades)} fills are outside their bar's low and high."
    return Finding(Check.FILL_PRICES, count == 0, count, message)


def too_few_trades(result: BacktestResult) -> Finding:
    """Find results that prove nothing for want of trades. observed: their number."""
    count = len(result.trades)
    return Finding(
        Check.TOO_FEW_TRADES, count >= MIN_TRADES, count, f"{counted(count, 'trade')}; {MIN_TRADES} are evidence."
    )


def rolls_seen(windows: tuple[Window, ...]) -> Finding:
    """Find bars that name no contract: their rolls are taken for moves of the market. observed: their number."""
    unnamed = sum(window.bars.unnamed for window in windows)
    message = rolls_unseen(unnamed) if unnamed else "Every bar names its contract."
    return Finding(Check.ROLLS_SEEN, unnamed == 0, unnamed, message)


def _longest_run(flags: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _stands_still(windows: tuple[Window, ...], fills: IntArray) -> NDArray[np.bool_]:
    """Whether each fill's bar repeats the STALE_BARS - 1 before it in every price and in volume."""
    still = fills >= STALE_BARS - 1
    # Only the bars that filled are looked at: a year has 350,000 others.
    latest = np.where(still, fills, STALE_BARS - 1)
    names = ("open_ticks", "high_ticks", "low_ticks", "close_ticks")
    columns = [_column(windows, attrgetter(name)) for name in names] + [_column(windows, attrgetter("bars.volume"))]
    for column in columns:
        for back in range(1, STALE_BARS):
            if still.any():
                still &= column[latest - back] == column[latest]
    return still


def _column(windows: tuple[Window, ...], of: Callable[[Window], NDArray[Any]]) -> NDArray[Any]:
    """Lay a column of all windows end to end; that of a single one is not copied."""
    return of(windows[0]) if len(windows) == 1 else np.concatenate([of(window) for window in windows])
