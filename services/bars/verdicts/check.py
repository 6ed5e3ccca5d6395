"""Read the months in use again: whether their files still hold what the catalogue says, and how good they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import GantryError
from fleet.closed_sets import DataLabel, QualityVerdict
from integrations.store import BarsStore
from services.bars.coverage import judged_span
from services.bars.decide import is_of
from sql.engine import Transactions
from sql.queries.bars import accepted as accepted_queries
from sql.queries.bars import catalogue as queries
from sql.tables.bars import BarsMonth
from trading.bars.aside import sessions_aside
from trading.bars.quality import NONE_ACCEPTED, MonthVerdict, assess
from trading.day_session import hours_of, instrument_of
from trading.instruments import get_instrument


@dataclass(frozen=True, slots=True)
class CheckedMonth:
    """One month read again.

    hash_holds: whether the file's bars and contracts are those the catalogue names. quality: judged now.
    quality_before: as catalogued. verdict_changed: whether bars that are as catalogued get another verdict or coverage
    today, or other sessions are put aside: the rules are newer. message: every difference and problem, or that there
    is none.
    """

    symbol: str
    month: str
    provider: str
    label: DataLabel
    bars_count: int
    path: str
    hash_holds: bool
    quality: QualityVerdict
    quality_before: QualityVerdict
    verdict_changed: bool
    message: str

    @property
    def ok(self) -> bool:
        """Whether the month can be backtested and is what the catalogue says it is."""
        return self.hash_holds and not self.verdict_changed and self.quality is not QualityVerdict.BLOCKED


def check_months(
    tx: Transactions,
    store: BarsStore,
    *,
    symbol: str | None = None,
    progress: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
) -> tuple[CheckedMonth, ...]:
    """Read every month in use, or those of one symbol, and compare each with its catalogue row. Changes nothing.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol.

    """
    if symbol is not None:
        get_instrument(symbol)
    with tx() as session:
        rows = queries.active_months(session, symbol=symbol)
        accepted = accepted_queries.accepted_sessions(session)
    checked = []
    for number, row in enumerate(rows, start=1):
        checked.append(_checked(store, row, accepted.get(row.symbol, NONE_ACCEPTED)))
        progress(f"Checking {row.symbol} {row.month}", number, len(rows))
    return tuple(checked)


def _checked(store: BarsStore, row: BarsMonth, accepted: Mapping[str, str]) -> CheckedMonth:
    holds, changed, verdict = False, False, MonthVerdict.BLOCKED
    instrument = instrument_of(row.symbol, hours_of(row.source_details))
    try:
        bars = store.read([row.path])
    except GantryError as error:
        message = f"{error.message} {error.fix}"
    else:
        report = assess(bars, instrument, judged_span(row), accepted=accepted)
        verdict, message = report.verdict, report.sentence()
        holds = is_of(row, bars, instrument)
        changed = holds and _weighs(report.as_json()) != _weighs({**row.quality_report, "verdict": row.quality})
        if not holds:
            message = f"The file was changed: it doesn't hold the bars the catalogue names. {message}"
    return CheckedMonth(
        symbol=row.symbol,
        month=row.month,
        provider=row.provider,
        label=DataLabel(row.data_label),
        bars_count=row.bars_count,
        path=row.path,
        hash_holds=holds,
        quality=QualityVerdict(verdict.value),
        quality_before=QualityVerdict(row.quality),
        verdict_changed=changed,
        message=message,
    )


def _weighs(report: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what of a report decides: which bars are used, and what they are worth. Sentences may change."""
    return report["verdict"], report.get("coverage"), sessions_aside(report)
