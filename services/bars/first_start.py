"""Simulated bars at a start: made where there is no provider, made again where an earlier simulator made them."""

from datetime import datetime

from core.errors import ErrorCode, GantryError
from core.settings import AppEnv, Settings
from integrations.registry import BARS_VENDORS, FILES, SIMULATOR, chosen_supply, simulates
from integrations.store import BarsStore
from services.bars.simulate import FIRST_START_MONTHS, no_progress, renew_simulated, simulate_months
from services.bars.write import Progress
from sql.engine import Transactions
from sql.queries.bars import catalogue as queries
from trading.months import full_months_before

FIRST_START_SYMBOLS = ("ES", "NQ", "CL", "GC", "6E")


def ensure_data(
    tx: Transactions, store: BarsStore, settings: Settings, *, now: datetime, progress: Progress = no_progress
) -> str | None:
    """Give a first start bars: without vendor key and without any bars, simulated ones; return what to report.

    Months that an earlier version of the simulator made are made again. None where there was nothing to make, and in
    production always.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown GANTRY_DATA_PROVIDER, ENVIRONMENT_INVALID for the simulator in
            production.

    """
    chosen = chosen_supply(settings)
    if settings.app_env is AppEnv.PRODUCTION:
        _refuse_simulator(chosen)
        return None
    min_sessions = settings.min_sessions_for_grading
    if renewed := renew_simulated(tx, store, actor="start", now=now, progress=progress, min_sessions=min_sessions):
        symbols = sorted({month.symbol for month in renewed})
        return (
            f"The simulator has a new version: made {len(renewed)} SIMULATED months of {', '.join(symbols)} again. "
            "Bots graded on the old ones are graded again."
        )
    if not simulates(settings):
        return None
    with tx() as session:
        if queries.has_any_month(session):
            return None
    months = full_months_before(now, FIRST_START_MONTHS)
    simulate_months(tx, store, FIRST_START_SYMBOLS, months, actor="first start", now=now, progress=progress)
    why = "No provider of bars is configured" if chosen is None else f"GANTRY_DATA_PROVIDER is {chosen}"
    return (
        f"{why}: made SIMULATED bars of {', '.join(FIRST_START_SYMBOLS)} for "
        f"{months[0]} to {months[-1]}. Every number that rests on them says SIMULATED. Import real ones with "
        "`gantry bars import FILE`."
    )


def _refuse_simulator(chosen: str | None) -> None:
    if chosen == SIMULATOR:
        raise GantryError(
            ErrorCode.ENVIRONMENT_INVALID,
            "Production never runs on simulated bars.",
            fix=f"Set GANTRY_DATA_PROVIDER to {', '.join(vendor.id for vendor in BARS_VENDORS)} or {FILES}.",
        )
