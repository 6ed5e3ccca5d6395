"""The asset `historical_bars`: one-minute bars of one symbol and month, as the catalogue holds them, and its check."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    asset,
    asset_check,
)

from assets.domain import Domain
from assets.failures import failure
from assets.partitions import SYMBOL_MONTHS, SymbolMonth, symbol_month
from core.clock import utc_now
from core.errors import GantryError, bad_data, data_unavailable
from fleet.closed_sets import DataLabel
from services.bars.load import list_months
from services.bars.simulate import simulate_months
from services.code_version import code_version
from services.usage import calling_for
from sql.engine import Transactions
from trading.bars.aside import sessions_aside, without_sessions
from trading.bars.hashing import content_hash
from trading.bars.schema import Bars
from trading.instruments import get_instrument

BARS: Final = AssetKey("historical_bars")


@dataclass(frozen=True, slots=True)
class MonthFacts:
    """One month of bars in use, as the catalogue describes it."""

    partition: SymbolMonth
    provider: str
    path: str
    data_label: str
    content_hash: str
    contracts_hash: str
    source_name: str
    source_sha256: str | None
    bars_count: int
    contracts: tuple[str, ...]
    quality: str
    quality_report: Mapping[str, Any]


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
def historical_bars(context: AssetExecutionContext, domain: ResourceParam[Domain]) -> MaterializeResult[None]:
    """Read the month and report what it holds; a missing one is fetched, or simulated where bars are simulated."""
    partition = symbol_month(context.partition_key)
    try:
        with calling_for(context.run.run_id):
            month = ensure_month(domain, partition, now=utc_now())
        read_bars(domain, month)
    except GantryError as error:
        raise failure(error) from error
    return MaterializeResult(metadata=month_metadata(month), tags=_tags(month))


@asset_check(
    asset=historical_bars,
    description="Great Expectations: sorted unique times, sound OHLC, prices on the tick grid, volume, one symbol.",
    blocking=True,
)
def bars_fit_for_backtests(context: AssetCheckExecutionContext, domain: ResourceParam[Domain]) -> AssetCheckResult:
    """Validate the month's bars as a whole."""
    from services.bars.quality import validate_bars

    partition = symbol_month(context.run.tags["dagster/partition"])
    try:
        month = read_month(domain.tx, partition)
        instrument = get_instrument(partition.symbol)
        fit = without_sessions(read_bars(domain, month), instrument, sessions_aside(month.quality_report))
        found = validate_bars(fit, instrument)
    except GantryError as error:
        raise failure(error) from error
    failed = [expectation for expectation in found if not expectation.passed]
    return AssetCheckResult(
        passed=not failed,
        description="; ".join(f"{one.name}: {one.unexpected_count} bars" for one in failed) or None,
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


def read_months(tx: Transactions, *, symbol: str | None = None) -> tuple[MonthFacts, ...]:
    """Return every month in use, by symbol and month."""
    return tuple(_facts(row) for row in list_months(tx, symbol=symbol))


def read_month(tx: Transactions, partition: SymbolMonth) -> MonthFacts:
    """Return that month.

    Raises:
        GantryError: DATA_UNAVAILABLE when the catalogue doesn't have it.

    """
    for month in read_months(tx, symbol=partition.symbol):
        if month.partition == partition:
            return month
    raise data_unavailable(
        f"There are no bars of {partition.symbol} in {partition.month}.",
        fix=f"Import them with `gantry bars import FILE --symbol {partition.symbol}`.",
    )


def month_made(month: MonthFacts) -> AssetMaterialization:
    """Return the event that reports a month in use."""
    return AssetMaterialization(BARS, partition=month.partition.key, metadata=month_metadata(month), tags=_tags(month))


def month_metadata(month: MonthFacts) -> dict[str, MetadataValue]:
    """Describe a month: numbers that plot, provenance, and what is wrong with it."""
    report = month.quality_report
    problems = "\n".join(f"- **{found['code']}**: {found['message']}" for found in report.get("problems", []))
    return {
        "bars_count": MetadataValue.int(month.bars_count),
        "coverage": MetadataValue.float(float(report.get("coverage", 0.0))),
        "gaps": MetadataValue.int(len(report.get("gaps", []))),
        "quality": MetadataValue.text(month.quality),
        "problems": MetadataValue.md(problems or "none"),
        "data_label": MetadataValue.text(month.data_label),
        "provider": MetadataValue.text(month.provider),
        "content_hash": MetadataValue.text(month.content_hash),
        "contracts_hash": MetadataValue.text(month.contracts_hash),
        "contracts": MetadataValue.text(", ".join(month.contracts)),
        "source": MetadataValue.text(month.source_name),
        "source_sha256": MetadataValue.text(month.source_sha256 or "none: simulated"),
    }


def _tags(month: MonthFacts) -> dict[str, str]:
    return {"dagster/data_version": month.content_hash}


def _facts(row: Any) -> MonthFacts:
    return MonthFacts(
        SymbolMonth(row.symbol, row.month),
        row.provider,
        row.path,
        row.data_label,
        row.content_hash,
        row.contracts_hash,
        row.source_name,
        row.source_sha256,
        row.bars_count,
        tuple(str(name) for name in row.contracts),
        row.quality,
        row.quality_report,
    )
