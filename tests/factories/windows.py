"""Windows made by hand or at random, in ticks, without a calendar: one session a thousand bars."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading.bars.schema import Bars, IntArray, Timeframe
from trading.bars.series import Roll, Window
from trading.instruments import Instrument, get_instrument
from trading.strategies.base import Decisions

MINUTE_NS = 60_000_000_000
START_NS = 1_704_153_600_000_000_000  # 2024-01-02 00:00 UTC


def window_of(
    ticks: Sequence[Sequence[int]] | IntArray,
    *,
    instrument: Instrument | None = None,
    rolls: tuple[Roll, ...] = (),
    start_ns: int = START_NS,
) -> Window:
    """Return a window of rows (open, high, low, close) in ticks; each roll starts a new contract C0, C1, ..."""
    known = instrument or get_instrument("ES")
    table: IntArray = np.asarray(ticks, dtype=np.int64).reshape(-1, 4)
    size, tick = len(table), float(known.tick_size)
    ts = start_ns + np.arange(size, dtype=np.int64) * MINUTE_NS
    contract = np.zeros(size, dtype=np.int32)
    adjustment = np.zeros(size, dtype=np.int64)
    for roll in rolls:
        contract[roll.index :] += 1
        adjustment[roll.index :] += roll.difference_ticks
    opens, highs, lows, closes = (np.ascontiguousarray(column) for column in table.T)
    names = tuple(f"C{number}" for number in range(len(rolls) + 1))
    bars = Bars(
        known.symbol,
        Timeframe.M1,
        ts,
        opens * tick,
        highs * tick,
        lows * tick,
        closes * tick,
        np.ones(size, dtype=np.int64),
        contract,
        names,
    )
    session = ts // (1000 * MINUTE_NS)
    return Window(
        bars, opens, highs, lows, closes, adjustment, session, (session + 1) * 1000 * MINUTE_NS - MINUTE_NS, rolls
    )


def decisions_of(
    target: Sequence[int],
    *,
    stop: int | Sequence[int] | None = None,
    take: int | Sequence[int] | None = None,
    only_when_flat: bool = False,
) -> Decisions:
    """Return decisions; a single distance holds for every bar."""
    codes = np.asarray(target, dtype=np.int8)

    def spread(ticks: int | Sequence[int] | None) -> IntArray | None:
        if ticks is None:
            return None
        return np.broadcast_to(np.asarray(ticks, dtype=np.int64), codes.shape).copy()

    return Decisions(codes, spread(stop), spread(take), only_when_flat)


@dataclass(frozen=True, slots=True, eq=False)
class RandomPath:
    """One fuzzed case."""

    window: Window
    decisions: Decisions
    slippage_ticks: int
    contracts: int
    is_last_window: bool


def random_path(seed: int) -> RandomPath:
    """Return a short path: gaps, bars that touch both brackets, zero ranges, rolls, every kind of decision."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 28))
    base = int(rng.choice([8, 400, 20_000, 1_900_000, -30]))
    gap, reach = int(rng.choice([0, 1, 5])), int(rng.choice([0, 2, 9]))
    rows, last = [], base
    for _ in range(size):
        opened = last + int(rng.integers(-gap, gap + 1))
        last = opened + int(rng.integers(-reach, reach + 1))
        high = max(opened, last) + int(rng.integers(0, reach + 1))
        low = min(opened, last) - int(rng.integers(0, reach + 1))
        rows.append((opened, high, low, last))
    table = np.array(rows, dtype=np.int64)
    rolls = _random_rolls(rng, table)
    if base > 0 and table.min() <= 0:
        table -= table.min() - 1
        rolls = tuple(
            Roll(r.index, r.old_contract, r.new_contract, max(1, r.old_exit_ticks), r.difference_ticks) for r in rolls
        )
    weights = [[0.7, 0.12, 0.12, 0.06], [0.2, 0.3, 0.3, 0.2], [0.5, 0.5, 0.0, 0.0]][int(rng.integers(3))]
    target = rng.choice([0, 1, -1, 2], size=size, p=weights)
    decisions = decisions_of(
        target.tolist(),
        stop=_random_distances(rng, size),
        take=_random_distances(rng, size),
        only_when_flat=bool(rng.integers(2)),
    )
    window = window_of(table, rolls=rolls)
    return RandomPath(window, decisions, int(rng.integers(0, 4)), int(rng.choice([1, 1, 3])), bool(rng.random() < 0.6))


def _random_rolls(rng: np.random.Generator, table: IntArray) -> tuple[Roll, ...]:
    size = len(table)
    if size < 3 or rng.random() < 0.6:
        return ()
    indices = sorted(rng.choice(np.arange(1, size), size=min(size - 1, int(rng.integers(1, 4))), replace=False))
    rolls = []
    for number, index in enumerate(int(index) for index in indices):
        difference = int(rng.integers(-6, 7))
        table[index:] += difference
        old_exit = int(table[index, 0]) - difference
        rolls.append(Roll(index, f"C{number}", f"C{number + 1}", old_exit, difference))
    return tuple(rolls)


def _random_distances(rng: np.random.Generator, size: int) -> list[int] | None:
    kind = int(rng.integers(4))
    if kind == 0:
        return None
    if kind == 1:
        return [int(rng.integers(1, 9))] * size
    return [int(value) for value in rng.integers(0, 12, size=size)]
