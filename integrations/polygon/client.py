"""Bars of single expiries from Polygon, which calls itself Massive now, through the vendor's own client."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from core.errors import ErrorCode, GantryError, data_unavailable
from integrations.files.assemble import assemble
from integrations.files.types import FileBars, Stamp
from integrations.http.gate import ProviderGate
from integrations.polygon.errors import PROVIDER_ID, usable_key
from integrations.polygon.expiries import Expiry, expiries_of
from integrations.polygon.fetch import Fetch
from integrations.polygon.parse import check_times, rows_of
from integrations.ports import FetchedMonth, Quote
from trading.bars.span import Span, span_of
from trading.instruments import get_instrument

VENDOR_URL: Final = "https://api.massive.com"
_ELSEWHERE: Final = "Fetch the month from another provider, or one that the account's plan reaches back to."


class PolygonBars:
    """A `BarsSource`; threads may share it. key: sent as a header and nowhere else. base_url: replaces the vendor's.

    Raises INTEGRATION_KEY_MISSING for an empty key, INTEGRATION_VERIFY_FAILED for one that no header can hold.
    """

    provider_id = PROVIDER_ID
    parallel = 4

    def __init__(self, key: str, gate: ProviderGate, *, base_url: str | None = None) -> None:
        self._key = usable_key(key)
        self._gate = gate
        self._base = (base_url or VENDOR_URL).rstrip("/")

    def quote(self, symbol: str, months: Sequence[str]) -> Quote:
        """Return no cost, as the vendor charges by subscription. Makes no call.

        Raises:
            GantryError: VALIDATION_FAILED for an unknown symbol or a malformed month.

        """
        get_instrument(symbol)
        for month in months:
            span_of(month)
        return Quote(self.provider_id, None, None)

    def fetch_month(self, symbol: str, month: str, *, now: datetime) -> FetchedMonth:
        """Fetch the finished minutes of a symbol-month, of up to four expiries that may be its front.

        month: YYYY-MM, UTC. now: aware; the minute it lies in is not finished.

        Raises:
            GantryError: VALIDATION_FAILED; PROVIDER_TIMEOUT, PROVIDER_RATE_LIMITED; INTEGRATION_VERIFY_FAILED,
                PROVIDER_ENTITLEMENT; DATA_UNAVAILABLE for no contract or no bar; as BadPayload
                PROVIDER_BAD_RESPONSE and DATA_QUALITY_FAILED.

        """
        get_instrument(symbol)
        span = span_of(month).until(now)
        if not span.minutes:
            raise data_unavailable(f"{month} has not begun.", fix="Fetch a month that has finished minutes.")
        fetch = Fetch(self._key, self._gate, self._base, f"{symbol}-{month}.jsonl")
        try:
            return self._fetched(fetch, symbol, month, span)
        except GantryError as error:
            if error.code is ErrorCode.DATA_QUALITY_FAILED or fetch.page_refused:
                raise fetch.refused(error) from error
            raise

    def _fetched(self, fetch: Fetch, symbol: str, month: str, span: Span) -> FetchedMonth:
        expiries = expiries_of(symbol, month, fetch.contracts(symbol, month))
        if not expiries:
            raise data_unavailable(f"Polygon lists no contract of {symbol} for {month}.", fix=_ELSEWHERE)
        bars = [fetch.bars(expiry, span) for expiry in expiries]
        if not any(bars):
            raise data_unavailable(f"Polygon has no bars of {symbol} in {month}.", fix=_ELSEWHERE)
        found = _assembled(fetch, symbol, expiries, bars, span)
        return FetchedMonth(
            self.provider_id, symbol, month, found, fetch.payload.content, fetch.name, found.source_details
        )


def _assembled(
    fetch: Fetch, symbol: str, expiries: Sequence[Expiry], bars: Sequence[Sequence[Any]], span: Span
) -> FileBars:
    rows = rows_of(symbol, expiries, bars)
    check_times(fetch.name, rows.bars.ts, start_ns=span.start_ns, end_ns=span.end_ns)
    details = {
        "format": "json",
        "resolution": "1min",
        "tickers": [expiry.ticker for expiry in expiries],
        "pages": len(fetch.lines),
        "end": datetime.fromtimestamp(span.end_ns / 1_000_000_000, UTC).isoformat(),
        "tz": "UTC",
        "stamp": Stamp.OPEN.value,
    }
    return assemble(fetch.payload, rows, details)
