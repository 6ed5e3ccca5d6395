"""Bars of continuous symbols and of single contracts from Databento, through the vendor's own client."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypedDict

from core.errors import ErrorCode, GantryError, data_unavailable
from integrations.databento.answers import SCHEMA, check_metadata, cost_of, count_of, range_of
from integrations.databento.asked import BarsRequest, asked_of
from integrations.databento.errors import PROVIDER_ID, usable_key
from integrations.databento.once import Once
from integrations.databento.parse import bars_of, refused, with_origin
from integrations.databento.unpack import unpacked
from integrations.http.gate import ProviderGate
from integrations.ports import FetchedMonth, Quote
from trading.bars.span import Span

if TYPE_CHECKING:
    from integrations.databento.wire import Metadata

VENDOR_URL: Final = "https://hist.databento.com"
_PUT_ASIDE: Final = frozenset((ErrorCode.PROVIDER_BAD_RESPONSE, ErrorCode.DATA_QUALITY_FAILED))


class _Question(TypedDict):
    dataset: str
    symbols: str
    stype_in: str
    schema: str
    start: datetime
    end: datetime


class DatabentoBars:
    """A `BarsSource`; threads may share it. key: sent as a header and nowhere else. base_url: replaces the vendor's.

    Asks once for the range of the dataset: make another one to see what the vendor has added since.
    Raises INTEGRATION_KEY_MISSING for an empty key, INTEGRATION_VERIFY_FAILED for one that no header can hold.
    """

    provider_id = PROVIDER_ID
    parallel = 8

    def __init__(
        self, key: str, gate: ProviderGate, *, base_url: str | None = None, dataset: str = "GLBX.MDP3"
    ) -> None:
        self._key = usable_key(key)
        self._gate = gate
        self._base = (base_url or VENDOR_URL).rstrip("/")
        self._dataset = dataset
        self._available = Once(self._ask_available)

    def quote(self, symbol: str, months: Sequence[str]) -> Quote:
        """Return the cost and the number of records of those months (YYYY-MM) that the vendor has; two calls a month.

        Raises:
            GantryError: as `fetch_month`; DATA_UNAVAILABLE only when it has none of them.

        """
        cost, records = Decimal(0), 0
        missing: list[GantryError] = []
        for month in months:
            try:
                asked = asked_of(symbol, month, self._available.get, None)
                cost += cost_of(self._metadata().get_cost(**self._question(asked)))
                records += self._count(asked)
            except GantryError as error:
                if error.code is not ErrorCode.DATA_UNAVAILABLE:
                    raise
                missing.append(error)
        if missing and len(missing) == len(months):
            raise missing[0]
        return Quote(self.provider_id, cost, records)

    def fetch_month(self, symbol: str, month: str, *, now: datetime) -> FetchedMonth:
        """Fetch the finished minutes of a product (ES: its most traded expiry) or of a single contract (ESH4).

        month: YYYY-MM, UTC. now: aware; the minute it lies in is not finished. The symbol returned is the product.

        Raises:
            GantryError: VALIDATION_FAILED; PROVIDER_TIMEOUT, PROVIDER_RATE_LIMITED; INTEGRATION_VERIFY_FAILED,
                PROVIDER_ENTITLEMENT; DATA_UNAVAILABLE for a month outside of the dataset's range, an unknown contract
                or no bars; PROVIDER_BAD_RESPONSE and DATA_QUALITY_FAILED, as BadPayload where bars were sent.

        """
        asked = asked_of(symbol, month, self._available.get, now)
        promised = self._count(asked)
        if not promised:
            raise data_unavailable(
                f"Databento has no bars of {asked.vendor_symbol} in {month}.",
                fix="Check the symbol and the month, or fetch from another provider.",
            )
        return self._fetched(asked, promised, now)

    def _fetched(self, asked: BarsRequest, promised: int, now: datetime) -> FetchedMonth:
        from integrations.databento.wire import PARTLY, Timeseries, warnings_of

        received: list[bytes] = []

        def examine(_action: str, body: bytes) -> None:
            received.append(body)
            unpacked(asked.name, body)

        try:
            answer: Any = Timeseries(self._key, self._base, self._gate, examine).get_range(**self._question(asked))
            partly = answer.status_code == PARTLY
            payload = unpacked(asked.name, answer.content)
            found = bars_of(payload, asked, promised=promised, partly=partly, now=now)
        except GantryError as error:
            if received and error.code in _PUT_ASIDE:
                raise refused(error, asked, received[-1], key=self._key) from None
            raise
        found = with_origin(found, asked, partly=partly, warnings=warnings_of(answer, self._key))
        return FetchedMonth(
            self.provider_id, asked.product, asked.month, found, answer.content, asked.name, found.source_details
        )

    def _count(self, asked: BarsRequest) -> int:
        return count_of(self._metadata().get_record_count(**self._question(asked)))

    def _ask_available(self) -> Span:
        return range_of(self._metadata().get_dataset_range(self._dataset))

    def _metadata(self) -> "Metadata":
        from integrations.databento.wire import Metadata

        return Metadata(self._key, self._base, self._gate, check_metadata)

    def _question(self, asked: BarsRequest) -> _Question:
        return {
            "dataset": self._dataset,
            "symbols": asked.vendor_symbol,
            "stype_in": asked.stype,
            "schema": SCHEMA,
            "start": asked.start,
            "end": asked.end,
        }
