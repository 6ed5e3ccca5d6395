"""The lists that make up one symbol-month, each taken whole through the vendor's client."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from core.errors import GantryError
from integrations.files.payload import Payload
from integrations.http.gate import ProviderGate
from integrations.polygon.expiries import Expiry, check_contracts, reach_of
from integrations.polygon.listing import ContractListing
from integrations.polygon.parse import check_bars
from integrations.ports import BadPayload
from trading.bars.span import Span

CONTRACTS: Final = "futures.contracts"
AGGREGATES: Final = "futures.aggs"
_CONTRACTS_A_PAGE: Final = 1000  # the vendor's maximum
_BARS_A_PAGE: Final = 50_000  # the same
_MOST_CONTRACTS: Final = 10_000
_DOUBLED: Final = 4  # times the month's minutes: doubled bars are found later and named, endless ones are cut off


@dataclass(slots=True, repr=False)
class Fetch:
    """One try at a symbol-month. name: of its payload. lines: its pages so far, the refused one too."""

    key: str
    gate: ProviderGate
    base: str
    name: str
    lines: list[bytes] = field(default_factory=list)
    _listing: ContractListing | None = None

    @property
    def payload(self) -> Payload:
        """The pages as JSON lines."""
        content = b"".join(line + b"\n" for line in self.lines)
        return Payload(self.name, hashlib.sha256(content).hexdigest(), content, "none")

    @property
    def page_refused(self) -> bool:
        """Whether a page came and was not what the vendor promises, rather than none came."""
        return self._listing is not None and self._listing.page_refused

    def contracts(self, symbol: str, month: str) -> list[Any]:
        """Return the contracts of a symbol that may be the front in a month, as the vendor's client gives them."""
        reach = reach_of(symbol, month)
        client = self._client(CONTRACTS, check_contracts, _MOST_CONTRACTS)
        return list(
            client.list_futures_contracts(
                product_code=symbol,
                type="single",
                last_trade_date_gte=reach.first.isoformat(),
                last_trade_date_lte=reach.last.isoformat(),
                limit=_CONTRACTS_A_PAGE,
                sort="last_trade_date.asc",
            )
        )

    def bars(self, expiry: Expiry, span: Span) -> list[Any]:
        """Return the one-minute bars of an expiry, as the vendor's client gives them."""
        client = self._client(AGGREGATES, partial(check_bars, ticker=expiry.ticker), span.minutes * _DOUBLED)
        return list(
            client.list_futures_aggregates(
                expiry.ticker,
                resolution="1min",
                window_start_gte=str(span.start_ns),
                window_start_lt=str(span.end_ns),
                limit=_BARS_A_PAGE,
                sort="window_start.asc",
            )
        )

    def refused(self, error: GantryError) -> BadPayload:
        """Return the error with what was sent, to be put aside."""
        return BadPayload(
            error.code,
            error.message,
            payload=self.payload.content,
            payload_name=self.name,
            fix=error.fix,
            kind=error.kind,
            facts=error.facts,
        )

    def _client(self, action: str, check: Callable[[Any], None], most_rows: int) -> Any:
        from massive import RESTClient

        client = RESTClient(self.key, base=self.base, pagination=True, retries=0)
        self._listing = ContractListing(self.gate, self.key, self.base, action, check, most_rows, self.lines)
        client.client = self._listing
        return client
