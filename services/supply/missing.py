"""Which months of bars are missing, and why the last tries to fetch them failed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import DataLabel
from sql.engine import Transactions
from sql.queries.bars import catalogue
from sql.queries.supply import fetches as queries
from sql.tables.bars import BarsMonth
from sql.tables.usage import BarsFetch
from trading.months import ends_at

# The provider may answer another time; what is left stays so until the providers change, or a day is over.
PASSING: Final = frozenset(
    {
        ErrorCode.PROVIDER_TIMEOUT,
        ErrorCode.PROVIDER_RATE_LIMITED,
        ErrorCode.PROVIDER_BAD_RESPONSE,
        ErrorCode.DATABASE_UNAVAILABLE,
        ErrorCode.ENVIRONMENT_INVALID,
    }
)


def is_whole(row: BarsMonth) -> bool:
    """Whether a month in use needs no fetch: real, and where a vendor sent it, up to the month's end."""
    if row.data_label == DataLabel.SIMULATED:
        return False
    return row.data_label != DataLabel.VENDOR or reaches_the_end(row.month, row.source_details)


def reaches_the_end(month: str, details: Mapping[str, object]) -> bool:
    """Whether the request ended with the month: `end` among the details says where it was cut before."""
    end = details.get("end")
    return end is None or datetime.fromisoformat(str(end)) >= ends_at(month)


def why_missing(tx: Transactions, symbol: str, start: str | None, end: str | None) -> GantryError | None:
    """Return why months of a symbol couldn't be fetched recently: how the newest tries failed; None where they didn't.

    A failure that may pass comes first: another attempt is worth it then.
    """
    with tx() as session:
        rows = [row for row in queries.newest_tries(session, symbol, start, end) if row.error_code is not None]
    passing = [row for row in rows if ErrorCode(str(row.error_code)) in PASSING]
    return as_error((passing or rows)[0]) if rows else None


def hole(tx: Transactions, symbol: str, start: str | None, end: str | None) -> GantryError | None:
    """Return why a month that is wanted is missing, where that may pass: graded without it, it would never be seen."""
    with tx() as session:
        there = {row.month for row in catalogue.active_months(session, symbol=symbol) if is_whole(row)}
        rows = queries.newest_tries(session, symbol, start, end)
    for row in rows:
        if row.error_code is not None and row.month not in there and ErrorCode(row.error_code) in PASSING:
            return as_error(row)
    return None


def as_error(row: BarsFetch) -> GantryError:
    """Return a stored failure as the error it was."""
    return GantryError(
        ErrorCode(row.error_code or ErrorCode.INTERNAL.value),
        row.message or "",
        fix=row.fix or "",
        facts={"symbol": row.symbol, "month": row.month, "provider": row.provider},
    )
