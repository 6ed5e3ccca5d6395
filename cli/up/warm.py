"""`python -m cli.up.warm`: run every strategy once on a few bars, so that the first backtest compiles nothing.

numba keeps what it compiled in NUMBA_CACHE_DIR; a marker there says for which engine that was done.
"""

import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

SYMBOL = "ES"
MONTH = "2024-01"
SEED = 1


def main() -> int:
    """Compile, one line a strategy, unless this engine's code is there already."""
    os.nice(10)  # the first screens matter more
    from trading.backtest.run import engine_version

    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    marker = folder / re.sub(r"[^A-Za-z0-9.+-]", "_", f"warm-{engine_version()}")
    if not marker.exists():
        _compile_all()
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text(datetime.now(UTC).isoformat())
    return 0


def _compile_all() -> None:
    from integrations.simulator.months import simulate_month
    from trading.backtest.run import run_backtest
    from trading.backtest.types import Costs
    from trading.bars.front import windows
    from trading.instruments import get_instrument
    from trading.strategies.registry import STRATEGIES

    instrument = get_instrument(SYMBOL)
    parts = windows(simulate_month(instrument, MONTH, SEED), instrument)
    costs = Costs(1, instrument.commission_usd, 1)
    for done, strategy in enumerate(STRATEGIES.values(), start=1):
        run_backtest(parts, strategy, strategy.parse({}), instrument, costs)
        bar = "#" * done + "." * (len(STRATEGIES) - done)
        sys.stdout.write(f"compiling the engine [{bar}] {done}/{len(STRATEGIES)} {strategy.name}\n")


if __name__ == "__main__":
    raise SystemExit(main())
