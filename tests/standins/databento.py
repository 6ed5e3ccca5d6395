"""Databento's historical API as far as Gantry uses it: bars of one minute, their count, their price, what there is."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import databento
import numpy as np

from tests.standins.calls import Answer, Asked, Call, Refusal
from tests.standins.dbn import DATASET, encoded, read_held
from tests.standins.faults import OF_PAGES, Fault
from tests.standins.records import RECORD_BYTES, Held, held
from tests.standins.served import StandIn, json_answer, request_id
from tests.standins.symbology import Selection, select
from trading.bars.schema import Bars

RANGE, COUNT, COST, DATASET_RANGE = (
    "timeseries.get_range",
    "metadata.get_record_count",
    "metadata.get_cost",
    "metadata.get_dataset_range",
)
_METHODS: Final = {RANGE: "POST", COUNT: "POST", COST: "POST", DATASET_RANGE: "GET"}
_FIRST: Final = "2010-06-06T00:00:00.000000000Z"
_GIB: Final = 2**30
_DOCS: Final = "https://databento.com/docs"
_USUAL: Final = {
    401: ("auth_authentication_failed", "Authentication failed."),
    402: ("account_insufficient_funds", "The account has insufficient funds for this request."),
    403: ("license_not_found_unauthorized", f"A live data license is required to access {DATASET}."),
    404: ("not_found", "Not Found"),
    422: ("data_end_after_available_end", "The dataset ends before the end that was asked for."),
    429: ("rate_limit_exceeded", "Too many requests."),
}


class DatabentoStandIn(StandIn):
    """bars: one-minute bars by product, per expiry or continuous.

    available_start, available_end: of the dataset, ISO; the end is that of the last month that has bars.
    usd_per_gib: of uncompressed records.
    """

    cannot = OF_PAGES

    def __init__(
        self, bars: Mapping[str, Bars] | None = None, *, key: str = "db-" + "A1b2" * 7 + "C", tls: bool = False
    ) -> None:
        super().__init__(key, tls=tls)
        self.available_start = _FIRST
        self.available_end = _FIRST
        self.usd_per_gib = 28.0
        self._held: dict[str, Held] = {}
        for symbol, of_symbol in (bars or {}).items():
            self._hold_records(symbol, held(of_symbol))

    def add_file(self, symbol: str, path: Path) -> None:
        """Serve a product's records of a .dbn.zst file in place of what was served for it.

        Raises:
            ValueError: the file has no one-minute bars of a contract of the product.

        """
        self._hold_records(symbol, read_held(path, symbol))

    def describe(self, asked: Asked) -> Call:
        action = asked.path.removeprefix("/v0/")
        return Call(action, asked.params, asked.params.get("start", "")[:7] or None, has_bars=action == RANGE)

    def serve(self, asked: Asked, call: Call, fault: Fault | None) -> Answer:
        self._authenticate(asked)
        if _METHODS.get(call.action) != asked.method:
            raise Refusal(404, "not_found", "Not Found")
        if asked.params.get("dataset") != DATASET:
            raise Refusal(422, "data_dataset_not_found", f"Only {DATASET} is served here.")
        if call.action == DATASET_RANGE:
            whole = {"start": self.available_start, "end": self.available_end}
            return json_answer(200, {**whole, "schema": {"ohlcv-1m": whole}})
        selection = self._selected(asked.params)
        if call.action == COUNT:
            return json_answer(200, len(selection.records))
        if call.action == COST:
            return json_answer(200, len(selection.records) * RECORD_BYTES / _GIB * self.usd_per_gib)
        return self._range(selection, fault)

    def refusal_of(self, status: int) -> Refusal:
        case, message = _USUAL.get(status, ("internal_server_error", "An internal error has occurred."))
        payload = {"available_start": self.available_start, "available_end": self.available_end}
        return Refusal(status, case, message, payload if status == 422 else None)

    def refusal(self, refusal: Refusal) -> Answer:
        detail = {
            "case": refusal.case,
            "message": refusal.message,
            "status_code": refusal.status,
            "docs": _DOCS,
            "payload": refusal.payload,
        }
        answer = json_answer(refusal.status, {"detail": detail})
        return Answer(answer.status, answer.body, headers={"Request-Id": request_id()})

    def _hold_records(self, symbol: str, records: Held) -> None:
        self._held[symbol] = records
        if len(records.records):
            last = np.datetime64(int(records.records["ts"].max()), "ns").astype("datetime64[M]") + 1
            self.available_end = max(self.available_end, f"{last}-01T00:00:00.000000000Z")

    def _authenticate(self, asked: Asked) -> None:
        expected = base64.b64encode(f"{self.key}:".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {expected}":
            raise self.refusal_of(401)

    def _selected(self, params: Mapping[str, str]) -> Selection:
        """Resolve the question, or refuse it as the vendor does."""
        if params.get("schema") != "ohlcv-1m":
            raise Refusal(422, "data_schema_not_supported", "Only ohlcv-1m is served here.")
        start, end = _ns(params.get("start")), _ns(params.get("end") or self.available_end)
        if start >= end:
            raise Refusal(422, "data_time_range_start_on_or_after_end", "`start` must be before `end`.")
        whole = {"available_start": self.available_start, "available_end": self.available_end}
        if start < _ns(self.available_start):
            raise Refusal(422, "data_start_before_available_start", "The dataset begins later.", whole)
        if start >= _ns(self.available_end):
            raise Refusal(422, "data_start_after_available_end", "The dataset ends before that.", whole)
        if end > _ns(self.available_end):
            message = f"The dataset {DATASET} has data available up to {self.available_end}."
            raise Refusal(422, "data_end_after_available_end", message, whole)
        symbols = tuple(params.get("symbols", "").split(","))
        selection = select(self._held, symbols, params.get("stype_in", "raw_symbol"), start, end)
        if len(selection.not_found) == len(symbols):
            raise Refusal(422, "symbology_invalid_request", "None of the symbols could be resolved.")
        return selection

    def _range(self, selection: Selection, fault: Fault | None) -> Answer:
        if fault is Fault.PARTIAL:
            selection = selection.first_half()
        headers: dict[str, str] = {}
        if not len(selection.records):
            headers["X-Warning"] = '["Warning: No data found for the request you submitted."]'
        partly = bool(selection.partial or selection.not_found)
        return Answer(
            206 if partly else 200, encoded(selection, fault), "application/octet-stream", headers, chunked=True
        )


def historical(vendor: DatabentoStandIn) -> databento.Historical:
    """Return the vendor's own client, pointed at the stand-in: it makes https of every gateway."""
    client: Any = databento.Historical(vendor.key, gateway=vendor.url)
    for api in (client.batch, client.metadata, client.symbology, client.timeseries):
        api._base_url = vendor.url + api._base_url.partition(client.gateway)[2]
    return client  # type: ignore[no-any-return]


def _ns(text: str | None) -> int:
    """Nanoseconds since 1970 of an ISO time, UTC unless it says so, or of such a number."""
    if not text:
        raise Refusal(422, "data_time_range_missing", "`start` is missing.")
    if text.isdecimal():
        return int(text)
    try:
        if text.endswith("Z") and len(text) == len(_FIRST):
            return int(np.datetime64(text[:-1], "ns").astype(np.int64))
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(422, "data_time_range_invalid", f"{text!r} is no time.") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(aware.timestamp()) * 1_000_000_000 + aware.microsecond * 1_000
