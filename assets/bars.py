"""The asset `historical_bars`: one-minute bars of one symbol and month, as the catalogue holds them, and its check."""

from collections.abc import Iterator
from datetime import datetime

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetExecutionContext,
    MaterializeResult,
    ResourceParam,
    asset,
    asset_check,
)

from assets.bars_check import report_bars
from assets.domain import Domain
from assets.failures import failure
from assets.months import BARS, MonthFacts, month_metadata, month_tags, read_month, read_months
from assets.partitions import SYMBOL_MONTHS, SymbolMonth, symbol_month
from core.clock import utc_now
from core.errors import GantryError, bad_data
from fleet.closed_sets import DataLabel
from services.bars.simulate import simulate_months
from services.code_version import code_version
from services.usage import calling_for
from trading.bars.aside import sessions_aside, without_sessions
from trading.bars.hashing import content_hash
from trading.bars.schema import Bars
from trading.instruments import get_instrument


@asset(
    key=BARS,
    description=(
        "One-minute bars of one symbol and month: one Parquet file, one catalogue row with provenance, content hash "
        "and quality verdict. Fetched from a vendor, imported by `gantry bars import`, or simulated; materializing it "
        "fetches a missing month, reads the file again and compares its content with the hash the catalogue states."
    ),
    partitions_def=SYMBOL_MONTHS,
    owners=["team:gantry"],
    group_name="bars",
    kinds={"parquet", "postgres"},
    code_version=code_version(),
)
def historical_bars(context: AssetExecutionContext, domain: ResourceParam[Domain]) -> Iterator[MaterializeResult[None]]:
    """Read the month and report what it holds; a missing one is fetched, or simulated where bars are simulated."""
    try:
        partition = symbol_month(context.partition_key)
        with calling_for(context.run.run_id):
            month = ensure_month(domain, partition, now=utc_now())
        read_bars(domain, month)
    except GantryError as error:
        raise failure(error) from error
    yield MaterializeResult(metadata=month_metadata(month), tags=month_tags(month))
    report_bars(context.instance, domain.tx)  # its event is written by now


@asset_check(
    asset=historical_bars,
    description="Great Expectations: sorted unique times, sound OHLC, prices on the tick grid, volume, one symbol.",
    blocking=True,
)
def bars_fit_for_backtests(context: AssetCheckExecutionContext, domain: ResourceParam[Domain]) -> AssetCheckResult:
    """Validate the month's bars as a whole.

    The run's own result is of its month; what is shown of the check afterwards is of all months in use.
    """
    from services.bars.quality import validate_bars

    try:
        partition = symbol_month(context.run.tags["dagster/partition"])
        month = read_month(domain.tx, partition)
        instrument = get_instrument(partition.symbol)
        fit = without_sessions(read_bars(domain, month), instrument, sessions_aside(month.quality_report))
        found = validate_bars(fit, instrument)
    except GantryError as error:
        raise failure(error) from error
    failed = [expectation for expectation in found if not expectation.passed]
    wrong = "; ".join(f"{one.name}: {one.unexpected_count} bars" for one in failed)
    report_bars(context.instance, domain.tx, [(month, wrong)])
    return AssetCheckResult(
        passed=not failed,
        description=wrong or None,
        metadata={
            "partition": str(partition.key),
            "content_hash": month.content_hash,
            "expectations": len(found),
            "failed": [expectation.name for expectation in failed],
        },
    )


def ensure_month(domain: Domain, partition: SymbolMonth, *, now: datetime) -> MonthFacts:
    """Return that month; a missing one is fetched where there is a vendor.

    Without one, a month that is over is simulated where bars are, unless the symbol has real ones.

    Raises:
        GantryError: DATA_UNAVAILABLE; the vendor's error if a fetch failed.

    """
    months = read_months(domain.tx, symbol=partition.symbol)
    known = {month.partition: month for month in months}
    real = any(month.data_label != DataLabel.SIMULATED for month in months)
    there = known.get(partition)
    if domain.supply.sources and (there is None or there.data_label == DataLabel.SIMULATED):
        fetched = domain.supply.fetch_month(
            domain.tx, domain.store, partition.symbol, partition.month, actor=domain.actor
        )
        if fetched.error is not None:
            raise fetched.error
        return read_month(domain.tx, partition)
    if there is None and domain.supply.simulates and not real and partition.month < f"{now:%Y-%m}":
        simulate_months(domain.tx, domain.store, [partition.symbol], [partition.month], actor=domain.actor, now=now)
    return there if there is not None else read_month(domain.tx, partition)


def read_bars(domain: Domain, month: MonthFacts) -> Bars:
    """Read a month's file.

    Raises:
        GantryError: DATA_UNAVAILABLE for a file that is gone, DATA_QUALITY_FAILED for one with other content.

    """
    bars = domain.store.read([month.path])
    if content_hash(bars, get_instrument(month.partition.symbol)) != month.content_hash:
        raise bad_data(
            f"The file of {month.partition.symbol} {month.partition.month} doesn't hold the bars the catalogue names.",
            fix="Import that month again; never edit files under the bars folder.",
            facts={"path": month.path},
        )
    return bars
