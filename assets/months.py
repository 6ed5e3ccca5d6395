"""Months of bars in use, as the catalogue describes them, and as Dagster shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dagster import AssetKey, AssetMaterialization, MetadataValue

from assets.partitions import SymbolMonth
from core.errors import data_unavailable
from services.bars.load import list_months
from sql.engine import Transactions

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
    return AssetMaterialization(
        BARS, partition=month.partition.key, metadata=month_metadata(month), tags=month_tags(month)
    )


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


def month_tags(month: MonthFacts) -> dict[str, str]:
    """Return the tags of a month's event: its content is its data version."""
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
