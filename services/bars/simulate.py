"""Simulated months of bars, always labelled SIMULATED."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import DataLabel
from fleet.grading_bars import MIN_SESSIONS, grades_on_real
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
    asked = [_MonthToMake(get_instrument(symbol), month, seed) for symbol in symbols for month in months]
    return _simulated(tx, store, asked, actor=actor, now=now, progress=progress)


def renew_simulated(
    tx: Transactions,
    store: BarsStore,
    *,
    actor: str,
    now: datetime,
    progress: Progress = no_progress,
    min_sessions: int = MIN_SESSIONS,
) -> tuple[MonthReport, ...]:
    """Make again, from their own seeds, the months in use that an earlier version of the simulator made.

    Their rows stay, superseded. Symbols that are graded on real bars are left out, as their simulated months are never
    read. min_sessions: of real bars, from which on a symbol is.
    """
    with tx() as session:
        outdated = _outdated(session, min_sessions)
    return _simulated(tx, store, outdated, actor=actor, now=now, progress=progress) if outdated else ()


def ensure_simulated(
    tx: Transactions,
    store: BarsStore,
    symbol: str,
    *,
    actor: str,
    now: datetime,
    min_sessions: int = MIN_SESSIONS,
) -> bool:
    """Give a symbol the simulated months it lacks; return whether it lacked any.

    Without any bars it gets as many months as a first start has; months of an earlier simulator are made again, as
    `renew_simulated` does.
    """
    with tx() as session:
        lacking = _outdated(session, min_sessions, symbol=symbol)
        has_bars = bool(queries.active_months(session, symbol=symbol))
    if not has_bars:
        first = full_months_before(now, FIRST_START_MONTHS)
        lacking = [_MonthToMake(get_instrument(symbol), month, DEFAULT_SEED) for month in first]
    if not lacking:
        return False
    try:
        _simulated(tx, store, lacking, actor=actor, now=now, progress=no_progress)
    except GantryError as error:
        if error.code is not ErrorCode.CONFLICT:
            raise  # else another worker made the same months meanwhile
    return True


@dataclass(frozen=True, slots=True)
class _MonthToMake:
    """A month to simulate."""

    instrument: Instrument
    month: str
    seed: int


def _outdated(session: Session, min_sessions: int, *, symbol: str | None = None) -> list[_MonthToMake]:
    """Return the months that an earlier simulator made and bots are graded on, of one symbol or of all."""
    known = queries.months_in_use(session, symbol=symbol)
    real = {name for name, months in known.items() if grades_on_real(months, min_sessions)}
    return [
        _MonthToMake(get_instrument(row.symbol), row.month, int(row.source_details["seed"]))
        for row in queries.active_months(session, symbol=symbol)
        if row.symbol not in real
        and row.provider == SIMULATOR
        and row.source_details["simulator_version"] < SIMULATOR_VERSION
    ]


def _simulated(
    tx: Transactions, store: BarsStore, asked: Sequence[_MonthToMake], *, actor: str, now: datetime, progress: Progress
) -> tuple[MonthReport, ...]:
    with tx() as session:
        real = {
            (row.symbol, row.month) for row in queries.active_months(session) if row.data_label != DataLabel.SIMULATED
        }
    made = []
    for number, one in enumerate(asked, start=1):
        if (one.instrument.symbol, one.month) not in real:
            made.append(_made(one.instrument, one.month, one.seed))
        progress(f"Simulating {one.instrument.symbol} {one.month}", number, len(asked))
    return store_months(tx, store, made, replace=True, actor=actor, now=now, progress=progress)


def _made(instrument: Instrument, month: str, seed: int) -> Incoming:
    (part,) = split_months(simulate_month(instrument, month, seed))
    details = {"seed": seed, "simulator_version": SIMULATOR_VERSION}
    name = f"{SIMULATOR}:{instrument.symbol}:{month}:seed={seed}"
    return Incoming(instrument, part, Source(SIMULATOR, DataLabel.SIMULATED, name, None, details))
