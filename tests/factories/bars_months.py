"""Rows of the catalogue of bars, without files behind them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from core.ids import new_id
from fleet.closed_sets import DataLabel, QualityVerdict
from integrations.simulator.draws import SIMULATOR_VERSION
from sql.tables.bars import BarsMonth
from tests.factories.bots import TRACE

MONTH = "2024-01"


def make_month(session: Session, symbol: str = "ES", month: str = MONTH, **changes: Any) -> BarsMonth:
    """Store a month of simulated bars of good quality."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    values: dict[str, Any] = {
        "id": new_id(),
        "provider": "simulator",
        "data_label": DataLabel.SIMULATED,
        "path": f"simulator/{symbol}/{month}.parquet",
        "content_hash": "c" * 64,
        "contracts_hash": "d" * 64,
        "source_name": "simulator",
        "source_details": {"seed": 1, "simulator_version": SIMULATOR_VERSION},
        "bars_count": 3,
        "first_at": first,
        "last_at": first.replace(day=28),
        "contracts": ["ESH4"],
        "quality": QualityVerdict.OK,
        "quality_report": {"problems": [], "gaps": [], "coverage": 1.0},
        "trace_id": TRACE,
    }
    row = BarsMonth(symbol=symbol, month=month, **(values | changes))
    session.add(row)
    session.flush()
    return row
