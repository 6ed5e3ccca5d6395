"""Simulated months of bars, always labelled SIMULATED."""

from collections.abc import Sequence
from datetime import datetime

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import DataLabel
from integrations.registry import SIMULATOR
from integrations.simulator.draws import SIMULATOR_VERSION
from integrations.simulator.months import simulate_month
from integrations.store import BarsStore
from services.bars.write import Incoming, MonthReport, Progress, Source, store_months
from sql.engine import Transactions
from sql.queries.bars import catalogue as queries
from trading.bars.months import split_months
from trading.instruments import Instrument, get_instrument
from trading.months import full_months_before

FIRST_START_MONTHS = 3
DEFAULT_SEED = 7


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


def simulate_months(
    tx: Transactions,
    store: BarsStore,
    symbols: Sequence[str],
    months: Sequence[str],
    *,
    seed: int = DEFAULT_SEED,
    actor: str,
    now: datetime,
    progress: Progress = no_progress,
) -> tuple[MonthReport, ...]:
    """Make months of SIMULATED bars ("YYYY-MM"); months with real bars are left as they are."""
    wanted = [(get_instrument(symbol), month) for symbol in symbols for month in months]
    with tx() as session:
        real = {
            (row.symbol, row.month) for row in queries.active_months(session) if row.data_label != DataLabel.SIMULATED
        }
    made = []
    for number, (instrument, month) in enumerate(wanted, start=1):
        if (instrument.symbol, month) not in real:
            made.append(_made(instrument, month, seed))
        progress(f"Simulating {instrument.symbol} {month}", number, len(wanted))
    return store_months(tx, store, made, replace=True, actor=actor, now=now, progress=progress)


def ensure_simulated(tx: Transactions, store: BarsStore, symbol: str, *, actor: str, now: datetime) -> bool:
    """Give a symbol without any bars as many simulated months as a first start has; return whether it needed them."""
    with tx() as session:
        if queries.active_months(session, symbol=symbol):
            return False
    try:
        simulate_months(tx, store, [symbol], full_months_before(now, FIRST_START_MONTHS), actor=actor, now=now)
    except GantryError as error:
        if error.code is not ErrorCode.CONFLICT:
            raise  # else another worker made the same months meanwhile
    return True


def _made(instrument: Instrument, month: str, seed: int) -> Incoming:
    (part,) = split_months(simulate_month(instrument, month, seed))
    details = {"seed": seed, "simulator_version": SIMULATOR_VERSION}
    name = f"{SIMULATOR}:{instrument.symbol}:{month}:seed={seed}"
    return Incoming(instrument, part, Source(SIMULATOR, DataLabel.SIMULATED, name, None, details))
