"""Guards: proofs, on the bars at hand, that a strategy decides from the past alone and decides the same every time.

A leak shows by changing what comes after a bar and looking whether the decisions up to it move. That is done on the
first 20,000 bars (on more only where these hold too few signals), and once by comparing these with the same bars of the
whole window: what leaks, leaks there too, and grading stays cheap.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np

from trading.backtest.findings import Check, Finding, Where
from trading.backtest.moved import Moved, first_difference, moved_on
from trading.backtest.run import decide
from trading.backtest.types import BacktestResult
from trading.backtest.view import market_view
from trading.bars.quality_types import stamp
from trading.bars.schema import FloatArray, IntArray
from trading.bars.series import Window
from trading.instruments import Instrument
from trading.sessions import session_of
from trading.strategies.base import LONG, SHORT, Decisions, MarketView, Params, Strategy

PROBE_BARS: Final = 20_000
CUTS: Final = 6  # bars after which the future is changed: half behind entries, half spread evenly
_JUMP_TICKS: Final = 40
_READABLE: Final = ("open", "high", "low", "close", "volume")
_DONE: Final = {Check.TRUNCATION: "Cutting off the bars", Check.SHIFT: "Changing the bars"}


@dataclass(frozen=True, slots=True, eq=False)
class GuardedBars:
    """What the guards ask a strategy about: bars, its decisions on them, and after which bars the future is changed.

    before: bars traded before the view's first, for the place that is named.
    """

    view: MarketView
    strategy: Strategy
    params: Params
    decisions: Decisions
    cuts: tuple[int, ...]
    before: int = 0

    def moved_on(self, view: MarketView, cut: int) -> Moved | None:
        """Return the first decision up to bar `cut` that differs on another view of these bars; None without one."""
        return moved_on(view, self.strategy, self.params, self.decisions, cut)


def run_guards(
    windows: tuple[Window, ...],
    strategy: Strategy,
    params: Params,
    instrument: Instrument,
    result: BacktestResult,
) -> tuple[Finding, ...]:
    """Run every guard on the longest window, and on the result's trades.

    Raises:
        GantryError: STRATEGY_ERROR when the strategy raises on the bars as they are.

    """
    longest = max(windows, key=len)
    whole = market_view(longest, instrument)
    everything = decide(strategy, params, whole)
    view, decisions = _probed(whole, strategy, params)
    cuts = _cuts(decisions, strategy.warmup(params), len(view))
    before = sum(len(window) for window in windows[: windows.index(longest)])
    probe = GuardedBars(view, strategy, params, decisions, cuts, before)
    cut_off = truncation(probe)
    moved = first_difference(everything, decisions, len(view)) if cut_off.passed else None
    return (
        _caught(Check.TRUNCATION, probe, {len(view) - 1: moved}) if moved else cut_off,
        shift(probe),
        determinism(probe),
        warm_up(strategy, params, everything),
        session(instrument, result),
    )


def truncation(probe: GuardedBars) -> Finding:
    """Cut the bars off after each of the cuts: the decisions up to there must stay. observed: cuts that moved any."""
    moved = {cut: probe.moved_on(first_bars(probe.view, cut + 1), cut) for cut in probe.cuts}
    return _verdict(Check.TRUNCATION, probe, moved)


def shift(probe: GuardedBars) -> Finding:
    """Put other bars after each of the cuts: the decisions up to there must stay. observed: cuts that moved any."""

    def moved_by(cut: int) -> Moved | None:
        found = (probe.moved_on(future, cut) for future in _futures(probe.view, cut))
        return next(filter(None, found), None)

    moved = {cut: moved_by(cut) for cut in probe.cuts}
    first = next((cut for cut, found in moved.items() if found), None)
    return _verdict(Check.SHIFT, probe, moved, reads=() if first is None else _read_after(probe, first))


def determinism(probe: GuardedBars) -> Finding:
    """Decide again, on a copy: everything must be the same. observed: decisions that differ."""
    once, size = probe.decisions, len(probe.view)
    again = decide(probe.strategy, probe.params, _mapped(probe.view, np.copy))
    same = first_difference(once, again, size) is None
    comparable = again.target.shape == once.target.shape
    differing = int((again.target != once.target).sum()) if comparable else size
    message = "Deciding again gives the same." if same else "Deciding again on the same bars gives other decisions."
    return Finding(Check.DETERMINISM, same, differing, message)


def warm_up(strategy: Strategy, params: Params, decisions: Decisions) -> Finding:
    """See that nothing is decided before the strategy's own warm-up.

    observed: decisions before it; None where no bar comes after it.
    """
    first = strategy.warmup(params)
    early, bars = int(np.count_nonzero(decisions.target[:first])), len(decisions.target)
    if early:
        return Finding(Check.WARM_UP, False, early, f"{early} decisions before bar {first}, the end of the warm-up.")
    if first >= bars:
        return Finding(Check.WARM_UP, False, None, f"The warm-up of {first} bars leaves none of {bars} to decide on.")
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


def _probed(view: MarketView, strategy: Strategy, params: Params) -> tuple[MarketView, Decisions]:
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


def _mapped(view: MarketView, change: Any) -> MarketView:
    columns = {spec.name: change(getattr(view, spec.name)) for spec in fields(view) if spec.name != "tick_size"}
    return replace(view, **columns)


def _read_after(probe: GuardedBars, cut: int) -> tuple[str, ...]:
    """The columns of bars after `cut` that move a decision up to it, each changed alone."""
    futures = tuple(_futures(probe.view, cut))

    def moves(name: str) -> bool:
        alone = (replace(probe.view, **{name: getattr(future, name)}) for future in futures)
        return any(probe.moved_on(view, cut) for view in alone)

    return tuple(name for name in _READABLE if moves(name))


def _verdict(
    name: Check, probe: GuardedBars, moved: Mapping[int, Moved | None], *, reads: tuple[str, ...] = ()
) -> Finding:
    if not moved:
        return Finding(name, False, None, "Too few bars to prove anything.")
    found = {cut: one for cut, one in moved.items() if one}
    if found:
        return _caught(name, probe, found, reads=reads)
    return Finding(name, True, 0, f"{_DONE[name]} after each of {len(moved)} bars moves no decision.")


def _caught(name: Check, probe: GuardedBars, moved: Mapping[int, Moved], *, reads: tuple[str, ...] = ()) -> Finding:
    """observed: the cuts that moved a decision; the first of them is described."""
    ts = probe.view.ts
    cut, first = next(iter(moved.items()))
    where = Where(probe.before + first.bar, stamp(ts[first.bar]), first.value, first.before, first.after, reads)
    columns = f" It reads {', '.join(reads)} of later bars." if reads else ""
    message = (
        f"At bar {where.bar} ({where.at}) {where.value} is {where.before}; {_DONE[name].lower()} after "
        f"{stamp(ts[cut])} turns it into {where.after}: the future is read "
        f"(found at {len(moved)} of {len(probe.cuts)} bars tried).{columns}"
    )
    return Finding(name, False, len(moved), message, where)
