"""Guards: proofs, on the bars at hand, that a strategy decides from the past alone and decides the same every time.

A leak shows by changing what comes after a bar and looking whether the decisions up to it move. That is done on the
first 20,000 bars (on more only where these hold too few signals), and once by comparing these with the same bars of the
whole window: what leaks, leaks there too, and grading stays cheap.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, Final

import numpy as np

from core.errors import GantryError
from trading.backtest.findings import Check, Finding
from trading.backtest.run import decide
from trading.backtest.types import BacktestResult, Costs
from trading.backtest.view import market_view
from trading.bars.schema import FloatArray, IntArray
from trading.bars.series import Window
from trading.instruments import Instrument
from trading.sessions import session_of
from trading.strategies.base import LONG, SHORT, Decisions, MarketView, Params, Strategy

PROBE_BARS: Final = 20_000
CUTS: Final = 6  # bars after which the future is changed: half behind entries, half spread evenly
_JUMP_TICKS: Final = 40


def run_guards(
    windows: tuple[Window, ...],
    strategy: Strategy,
    params: Params,
    instrument: Instrument,
    costs: Costs,  # noqa: ARG001 - guards and analyzers are called alike
    result: BacktestResult,
) -> tuple[Finding, ...]:
    """Run every guard on the longest window, and on the result's trades.

    Raises:
        GantryError: STRATEGY_ERROR when the strategy raises on the bars as they are.

    """
    whole = market_view(max(windows, key=len), instrument)
    everything = decide(strategy, params, whole)
    view, decisions = _probe(whole, strategy, params)
    cuts = _cuts(decisions, strategy.warmup(params), len(view))
    cut_off = truncation(view, strategy, params, decisions, cuts)
    if cut_off.passed and not _same(everything, decisions, len(view)):
        cut_off = _verdict(Check.TRUNCATION, [len(view) - 1], "Cutting off later bars", cuts)
    return (
        cut_off,
        shift(view, strategy, params, decisions, cuts),
        determinism(view, strategy, params, decisions),
        warm_up(strategy, params, everything),
        session(instrument, result),
    )


def truncation(
    view: MarketView, strategy: Strategy, params: Params, decisions: Decisions, cuts: tuple[int, ...]
) -> Finding:
    """Cut the bars off after each of `cuts`: the decisions up to there must stay. observed: cuts that moved any."""
    moved = [cut for cut in cuts if not _stays(first_bars(view, cut + 1), strategy, params, decisions, cut)]
    return _verdict(Check.TRUNCATION, moved, "Cutting off later bars", cuts)


def shift(view: MarketView, strategy: Strategy, params: Params, decisions: Decisions, cuts: tuple[int, ...]) -> Finding:
    """Put other bars after each of `cuts`: the decisions up to there must stay. observed: cuts that moved any."""
    moved = [
        cut
        for cut in cuts
        if not all(_stays(future, strategy, params, decisions, cut) for future in _futures(view, cut))
    ]
    return _verdict(Check.SHIFT, moved, "Changing later bars", cuts)


def determinism(view: MarketView, strategy: Strategy, params: Params, decisions: Decisions) -> Finding:
    """Decide again, on a copy: everything must be the same. observed: decisions that differ."""
    again = decide(strategy, params, _mapped(view, np.copy))
    same = _same(again, decisions, len(view))
    differing = int((again.target != decisions.target).sum()) if again.target.shape == decisions.target.shape else None
    message = "Deciding again gives the same." if same else "Deciding again on the same bars gives other decisions."
    return Finding(Check.DETERMINISM, same, differing, message)


def warm_up(strategy: Strategy, params: Params, decisions: Decisions) -> Finding:
    """See that nothing is decided before the strategy's own warm-up. observed: decisions before it."""
    first = strategy.warmup(params)
    early, bars = int(np.count_nonzero(decisions.target[:first])), len(decisions.target)
    if early:
        return Finding(Check.WARM_UP, False, early, f"{early} decisions before bar {first}, the end of the warm-up.")
    if first >= bars:
        return Finding(Check.WARM_UP, False, 0, f"The warm-up of {first} bars leaves none of {bars} to decide on.")
    return Finding(Check.WARM_UP, True, 0, f"Nothing is decided before bar {first}.")


def session(instrument: Instrument, result: BacktestResult) -> Finding:
    """See that every fill is on a bar of a session of the calendar. observed: fills outside."""
    fills = np.sort(np.concatenate((result.trades.entry_ns, result.trades.exit_ns)))
    outside = int((~session_of(instrument, fills).in_session).sum()) if len(fills) else 0
    message = f"{outside} of {len(fills)} fills are outside the sessions of {instrument.calendar}."
    return Finding(Check.SESSION, outside == 0, outside, message)


def first_bars(view: MarketView, size: int) -> MarketView:
    """Return the view of its first `size` bars."""
    return _mapped(view, lambda column: column[:size])


def _probe(view: MarketView, strategy: Strategy, params: Params) -> tuple[MarketView, Decisions]:
    size = PROBE_BARS
    while True:
        part = view if size >= len(view) else first_bars(view, size)
        decisions = decide(strategy, params, part)
        if part is view or len(_entries(decisions)) > CUTS:
            return part, decisions
        size *= 4


def _entries(decisions: Decisions) -> IntArray:
    return np.flatnonzero((decisions.target == LONG) | (decisions.target == SHORT))


def _cuts(decisions: Decisions, warmup: int, size: int) -> tuple[int, ...]:
    """Return bars to cut after, sorted, each with at least one bar behind it."""
    entries = _entries(decisions)
    behind = entries[np.linspace(0, len(entries) - 1, CUTS // 2, dtype=np.int64)] if len(entries) else entries
    spread = np.linspace(min(warmup, size - 1), size - 1, CUTS // 2 + 2, dtype=np.int64)[1:-1]
    return tuple(sorted({int(cut) for cut in (*behind, *spread) if cut < size - 1}))


def _futures(view: MarketView, cut: int) -> Iterator[MarketView]:
    """Yield the view with two other futures: prices mirrored at the cut's close, and a jump to one price.

    A decision that follows the next move turns with the mirror; one that follows a level moves with the jump. The
    calendar stays: it is known ahead.
    """
    pivot = float(view.close[cut])
    volume = view.volume.copy()
    volume[cut + 1 :] = volume[cut + 1 :] * 2 + 1

    def after(now: FloatArray, then: FloatArray | float) -> FloatArray:
        changed = now.copy()
        changed[cut + 1 :] = then[cut + 1 :] if isinstance(then, np.ndarray) else then
        return changed

    def mirrored(now: FloatArray, opposite: FloatArray) -> FloatArray:
        return after(now, 2 * pivot - opposite)

    yield replace(
        view,
        open=mirrored(view.open, view.open),
        high=mirrored(view.high, view.low),
        low=mirrored(view.low, view.high),
        close=mirrored(view.close, view.close),
        volume=volume,
    )
    jump = pivot + _JUMP_TICKS * view.tick_size
    yield replace(
        view,
        open=after(view.open, jump),
        high=after(view.high, jump),
        low=after(view.low, jump),
        close=after(view.close, jump),
        volume=volume,
    )


def _stays(view: MarketView, strategy: Strategy, params: Params, decisions: Decisions, cut: int) -> bool:
    try:
        changed = decide(strategy, params, view)
    except GantryError:
        return False  # a strategy that can't decide without its future reads it
    return _same(changed, decisions, cut + 1)


def _same(one: Decisions, other: Decisions, size: int) -> bool:
    def columns(decisions: Decisions) -> tuple[Any, ...]:
        return decisions.target, decisions.stop_ticks, decisions.target_ticks

    return one.entries_only_when_flat == other.entries_only_when_flat and all(
        (a is None and b is None) or (a is not None and b is not None and np.array_equal(a[:size], b[:size]))
        for a, b in zip(columns(one), columns(other), strict=True)
    )


def _mapped(view: MarketView, change: Any) -> MarketView:
    columns = {spec.name: change(getattr(view, spec.name)) for spec in fields(view) if spec.name != "tick_size"}
    return replace(view, **columns)


def _verdict(name: Check, moved: list[int], what: str, cuts: tuple[int, ...]) -> Finding:
    if not cuts:
        return Finding(name, False, None, "Too few bars to prove anything.")
    if moved:
        return Finding(name, False, len(moved), f"{what} moves decisions up to bar {moved[0]}: the future is read.")
    return Finding(name, True, 0, f"{what} than each of {len(cuts)} moves no decision.")
