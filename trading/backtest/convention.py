"""The convention every simulator of Gantry follows, written once.

Prices are integer ticks of the real contract; money is int64 ten-thousandths of a dollar. With T bars in a
window, `target[i]` is decided at the close of bar i, reading bars 0..i, by a bot that knows its position there.

1. **Fill.** A decision of bar i fills at the open of bar i+1, slipped by `slippage_ticks` against the trader.
   A decision at the last bar fills nothing.
2. **Decision.** LONG and SHORT open when flat and reverse an opposite position (one close, one open, both paid);
   on the side held they are HOLD, no matter what a bracket does afterwards at the same open. With
   `entries_only_when_flat` they are ignored by a bot that is in the market at the close that decides.
   FLAT closes; it is HOLD when flat.
3. **Order at an open.** What was decided fills first and replaces the bracket of the position it closes:
   a reversal or FLAT due at an open that gapped through the target is a market fill, slipped.
4. **Bracket.** `stop_ticks` and `target_ticks` (0 = none) of the entry's decision, counted from the fill price,
   slippage included; live from the entry bar on. In each bar, in this order:
   a. open at or beyond the stop: stopped at the open, slipped;
   b. open at or beyond the target: closed at the open, not slipped (a limit order);
   c. low (high, when short) at or beyond the stop: stopped at the stop price, slipped;
   d. high (low) at or beyond the target: closed at the target price, not slipped.
   So a touch is a fill, a gap fills at the open, and where one bar reaches both after its open the stop is
   taken. A position closed inside bar i is flat at its close and may be entered by bar i's own decision.
5. **Costs.** Commission per contract and side: a reversal pays for two, a roll for two.
   net = (exit - entry) x side x contracts x tick value - both sides' commission.
6. **Roll.** On a roll's first bar an open position is closed at the old contract's price (slipped) and opened
   again, same side and size, at the new contract's open (slipped), with the same bracket distances anchored on the
   new fill; reason ROLL. A FLAT or reversal due at that open closes the old contract once, with its own
   reason, and a reversal opens on the new one.
7. **End of a window.** In every window but the last a position is closed at the open of the window's last bar
   (WINDOW_END), where nothing is entered. At the last bar of the last window it stays open: it is marked in
   equity and reported as open position, and is not a trade.
8. **Session flatten** belongs to the strategy: from the bar before the session's last one on, by the calendar of
   ends as they were (`trading/calendar/ends.py`), it decides FLAT, so that the fill is the open of the session's
   last bar and never the next session's. On a day that the calendar has no session for it enters nothing.
9. **Volume.** Bars without trade volume are not part of a window: nothing could have filled in them.
10. **Equity** is marked at every close: profit since start, open positions at the close, commissions as paid.
    Drawdown is measured on all bars, from a peak that starts at zero.

Sizing: `contracts` per position, fixed.
"""

from decimal import Decimal
from typing import Final

import numpy as np

from core.errors import ErrorCode, GantryError, invalid
from trading.backtest.types import Costs
from trading.bars.series import Window
from trading.strategies.base import FLAT, HOLD, LONG, SHORT, Decisions

CONVENTION_VERSION: Final = 1  # raised whenever the same bars, parameters and costs would trade differently
MAX_TICKS: Final = 2**31  # vectorbt computes in float64: up to here a quarter of a tick is far above its rounding
MAX_CONTRACTS: Final = 1_000_000
MAX_SLIPPAGE_TICKS: Final = 10_000
_FINEST_USD: Final = Decimal("0.0001")
_CODES: Final = sorted((HOLD, LONG, SHORT, FLAT))  # without a gap, so that two comparisons check a whole array


def check_costs(costs: Costs) -> None:
    """Refuse costs that mean nothing.

    Raises:
        GantryError: VALIDATION_FAILED naming the field.

    """
    if not 1 <= costs.contracts <= MAX_CONTRACTS:
        raise invalid(
            f"contracts is {costs.contracts}.", fix=f"Use 1 to {MAX_CONTRACTS:,} contracts.", field="contracts"
        )
    if not 0 <= costs.slippage_ticks <= MAX_SLIPPAGE_TICKS:
        raise invalid(
            f"slippage_ticks is {costs.slippage_ticks}.",
            fix=f"Use 0 to {MAX_SLIPPAGE_TICKS:,} ticks, against the trader.",
            field="slippage_ticks",
        )
    if not costs.commission_usd.is_finite() or costs.commission_usd < 0 or costs.commission_usd > 10_000:
        raise invalid(
            f"commission_usd is {costs.commission_usd}.",
            fix="Use 0 to 10,000 USD per contract and side.",
            field="commission_usd",
        )
    if costs.commission_usd != costs.commission_usd.quantize(_FINEST_USD):
        raise invalid(
            f"commission_usd {costs.commission_usd} has more than four decimals.",
            fix="Give the commission with at most four decimals.",
            field="commission_usd",
        )


def check_decisions(decisions: Decisions, window: Window) -> None:
    """Refuse decisions that no market could carry out, before anything is simulated.

    Raises:
        GantryError: STRATEGY_ERROR for a wrong shape, dtype, code or a negative distance.

    """
    size = len(window)
    if decisions.target.shape != (size,) or decisions.target.dtype != np.int8:
        raise _impossible(
            f"target is {decisions.target.dtype}{decisions.target.shape}, not int8({size},)", "Return one int8 a bar."
        )
    if size and not (_CODES[0] <= int(decisions.target.min()) and int(decisions.target.max()) <= _CODES[-1]):
        raise _impossible("target holds a code other than HOLD, LONG, SHORT, FLAT", "Use the named codes only.")
    distances = (("stop_ticks", decisions.stop_ticks), ("target_ticks", decisions.target_ticks))
    if decisions.stop_ticks is None and decisions.target_ticks is None:
        return
    decided = np.flatnonzero(decisions.target != HOLD)
    for name, ticks in distances:
        if ticks is None:
            continue
        if ticks.shape != (size,) or ticks.dtype != np.int64:
            raise _impossible(f"{name} is {ticks.dtype}{ticks.shape}, not int64({size},)", "Return one int64 a bar.")
        used = ticks[decided]
        if len(used) and (int(used.min()) < 0 or int(used.max()) >= MAX_TICKS):
            raise _impossible(
                f"{name} has a distance outside 0 to {MAX_TICKS - 1}", "Count distances in ticks, from 0."
            )


def check_prices(lowest: int, highest: int) -> None:
    """Refuse prices, in ticks, that vectorbt wouldn't compute exactly.

    Raises:
        GantryError: VALIDATION_FAILED.

    """
    if highest >= MAX_TICKS or lowest <= -MAX_TICKS:
        raise invalid(
            f"Prices reach {MAX_TICKS:,} ticks, beyond what vectorbt computes exactly.",
            fix="Check the tick size and the price column of the bars.",
            field="bars",
        )


def _impossible(message: str, fix: str) -> GantryError:
    return GantryError(ErrorCode.STRATEGY_ERROR, f"The strategy's {message}.", fix=fix)
