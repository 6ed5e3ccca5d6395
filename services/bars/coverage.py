"""What a month of bars should cover: all of it, up to now or to the end that its export states."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sql.tables.bars import BarsMonth
from trading.bars.schema import NS_PER_SECOND
from trading.bars.span import Span, span_of

STATED_END: Final = "end"  # among a source's details: where the request for the bars ended, RFC 3339


def month_span(month: str, details: Mapping[str, object], now: datetime) -> Span:
    """Return what bars of a month should cover. details: of their source. now: aware, UTC."""
    span = span_of(month).until(now)
    stated = details.get(STATED_END)
    return span if stated is None else span.before(_ns(str(stated)))


def judged_span(row: BarsMonth) -> Span:
    """Return what a month in use should cover: as it was judged, or as one that came in at its time would be."""
    until = row.quality_report.get("covered_until")
    if until is None:  # judged before coverage was of the whole month
        return month_span(row.month, row.source_details, row.created_at)
    return Span(span_of(row.month).start_ns, _ns(str(until)))


def _ns(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp()) * NS_PER_SECOND
