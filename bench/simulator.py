"""Whether the simulator can be beaten: random entries on a simulated year of five instruments, and autocorrelations.

Figures are gross ticks a trade and, in brackets, what the engine's rule (stop before target in one bar) costs of them.
z: standard errors of their difference; the limit is 3 where trades are pooled, 4 in a single cell.
"""

import time

import numpy as np

from bench.table import Row, print_table
from integrations.simulator.months import simulate_month
from tests.factories.fair import BRACKETS, HOLDS, Cell, Ground, bracket_cell, ground_of, pooled, timed_cell
from tests.factories.moves import autocorrelation_z, daily_moves, monthly_moves, moves_of, range_ratio, together
from trading.instruments import INSTRUMENTS, get_instrument

SYMBOLS = ("NQ", "ES", "CL", "GC", "6E")
MONTHS = tuple(f"2024-{number:02d}" for number in range(1, 13))
SEED = 7
SIDES = (1, -1)
POOLED, SINGLE = 3.0, 4.0
NARROWEST, WIDEST = 1.7, 2.3
SEEDS = range(8)


def run() -> list[Row]:
    """Measure both, and the time a month takes."""
    rows: list[Row] = []
    brackets: list[Cell] = []
    timed: list[Cell] = []
    for symbol in SYMBOLS:
        ground = ground_of(get_instrument(symbol), MONTHS, SEED)
        cells = [bracket_cell(ground, side, *bracket, seed=SEED) for bracket in BRACKETS for side in SIDES]
        rows += [_single(symbol, cell) for cell in cells]
        brackets.append(pooled(f"{symbol} all brackets", cells))
        held = [timed_cell(ground, side, bars, seed=SEED) for bars in HOLDS for side in SIDES]
        timed.append(pooled(f"{symbol} all exits by time", held))
        rows += [_pooled(brackets[-1]), _pooled(timed[-1]), _ratio(symbol, ground), *_autocorrelations(symbol, ground)]
    for name, found in (("all brackets", brackets), ("all exits by time", timed)):
        z = together([cell.z for cell in found])
        rows.append(Row(name, f"z {z:+.2f}", None, f"|z| <= {POOLED:.0f}", abs(z) <= POOLED))
    return [*rows, *_months(), _speed()]


def _single(symbol: str, cell: Cell) -> Row:
    return Row(f"{symbol} {cell.name}", _figure(cell), None, f"z <= {SINGLE:.0f}", cell.z <= SINGLE)


def _pooled(cell: Cell) -> Row:
    return Row(cell.name, _figure(cell), None, f"|z| <= {POOLED:.0f}", abs(cell.z) <= POOLED)


def _figure(cell: Cell) -> str:
    return f"{cell.mean:+.3f} (rule {-cell.rule:+.3f}) +- {cell.error:.3f}, z {cell.z:+.2f}"


def _ratio(symbol: str, ground: Ground) -> Row:
    ratio = range_ratio(ground.window)
    spread = float((ground.window.high_ticks - ground.window.low_ticks).mean())
    met = NARROWEST <= ratio <= WIDEST
    return Row(f"{symbol} range / |close - open|", f"{spread:.1f} ticks a bar", ratio, f"{NARROWEST} to {WIDEST}", met)


def _autocorrelations(symbol: str, ground: Ground) -> list[Row]:
    found = {f"{bars} min": autocorrelation_z(moves_of(ground.window, bars)) for bars in (1, 5, 60)}
    found["a day"] = autocorrelation_z(daily_moves(ground.window))
    return [
        Row(f"{symbol} autocorrelation, {horizon}", f"z {z:+.2f}", None, f"|z| <= {SINGLE:.0f}", abs(z) <= SINGLE)
        for horizon, z in found.items()
    ]


def _months() -> list[Row]:
    """Measure fifty years of months of every instrument and several seeds."""
    moves = [monthly_moves(instrument, seed) for instrument in INSTRUMENTS.values() for seed in SEEDS]
    last = together([autocorrelation_z(one) for one in moves])
    drift = together([float(one.sum() / np.sqrt(len(one))) for one in moves])
    return [
        Row(f"a month, {what}", f"z {z:+.2f}", None, f"|z| <= {POOLED:.0f}", abs(z) <= POOLED)
        for what, z in (("autocorrelation", last), ("drift", drift))
    ]


def _speed() -> Row:
    instrument = get_instrument("NQ")
    for month in MONTHS:
        simulate_month(instrument, month, SEED)
    start = time.perf_counter()
    for month in MONTHS:
        simulate_month(instrument, month, SEED)
    took = (time.perf_counter() - start) / len(MONTHS)
    return Row("a month of NQ", f"{took * 1e3:.1f} ms", None, "", None)


if __name__ == "__main__":
    print_table("simulator", run())
