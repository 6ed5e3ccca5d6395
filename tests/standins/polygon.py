"""Polygon's REST API, under its new name Massive, as far as Gantry uses it: futures contracts and their bars."""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.standins.calls import Answer, Asked, Call, Refusal
from tests.standins.dbn import read_held
from tests.standins.faults import Fault
from tests.standins.polygon_bars import Listed, Row, aggregates, between, filtered, listed_of, nanoseconds
from tests.standins.records import RECORD, Records, held, spoiled
from tests.standins.served import StandIn, json_answer, request_id
from trading.bars.contracts import parse_contract
from trading.bars.schema import Bars

CONTRACTS, AGGREGATES = "futures.contracts", "futures.aggs"
_CONTRACTS_PATH: Final = "/futures/v1/contracts"
_AGGREGATES_PATH: Final = "/futures/v1/aggs/"
_CONTRACT_FILTERS: Final = frozenset(
    ("product_code", "ticker", "type", "active", "first_trade_date", "last_trade_date", "date")
)
_BEGINS: Final = ("window_start.gte", "window_start.gt", "window_start")
_USUAL_LIMITS: Final = {CONTRACTS: 100, AGGREGATES: 1000}
_MOST: Final = {CONTRACTS: 1000, AGGREGATES: 50_000}
_USUAL: Final = {
    401: ("ERROR", "Unknown API Key"),
    402: ("NOT_AUTHORIZED", "The account has a bill to pay."),
    403: ("NOT_AUTHORIZED", "You are not entitled to this data. Please upgrade your plan."),
    404: ("NOT_FOUND", "Data not found."),
    429: ("ERROR", "You've exceeded the maximum requests per minute, please wait or upgrade your subscription."),
}


class PolygonStandIn(StandIn):
    """bars: one-minute bars by product, whose contracts' names tell their expiry (ESH24).

    also_listed: contracts that are listed and have no bars. page_rows: rows on a page at most, whatever limit says.
    today: of the list of contracts. gzips: whether answers are packed for clients that take it.
    """

    cannot = frozenset((Fault.PARTIAL, Fault.CUT_WHOLE_FRAME))

    def __init__(
        self,
        bars: Mapping[str, Bars] | None = None,
        *,
        also_listed: Sequence[str] = (),
        key: str = "Pk" + "a1B2" * 7 + "zZ",
        tls: bool = False,
    ) -> None:
        super().__init__(key, tls=tls)
        self.page_rows = 50_000
        self.today: date = datetime.now(UTC).date()
        self.gzips = True
        self._listed: dict[str, list[Listed]] = {}
        for symbol, of_symbol in (bars or {}).items():
            self._listed[symbol] = listed_of(symbol, held(of_symbol))
        for name in also_listed:
            parsed = parse_contract(name)
            root = parsed.root if parsed else name
            self._listed.setdefault(root, []).append(Listed(root, name, None))

    def add_file(self, symbol: str, path: Path) -> None:
        """Serve a product's records of a .dbn.zst file in place of what was served for it."""
        self._listed[symbol] = listed_of(symbol, read_held(path, symbol))

    def describe(self, asked: Asked) -> Call:
        params = _unpacked(asked.params)
        if asked.path == _CONTRACTS_PATH:
            return Call(CONTRACTS, params, _month(params.get("last_trade_date.gte") or params.get("date.gte")))
        if not asked.path.startswith(_AGGREGATES_PATH):
            return Call(asked.path.strip("/"), params)
        begins = next((params[name] for name in _BEGINS if name in params), None)
        ticker = asked.path.removeprefix(_AGGREGATES_PATH)
        return Call(AGGREGATES, {"ticker": ticker, **params}, _month(begins), has_bars=True)

    def serve(self, asked: Asked, call: Call, fault: Fault | None) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            raise self.refusal_of(401)
        if asked.method != "GET" or call.action not in _MOST:
            raise self.refusal_of(404)
        if "cursor" in call.params:
            raise Refusal(400, "ERROR", "Invalid cursor.")
        offset = int(call.params.get("cursor_offset", 0))
        size = min(int(call.params.get("limit", _USUAL_LIMITS[call.action])), _MOST[call.action], self.page_rows)
        page = slice(offset, offset + size)
        if call.action == CONTRACTS:
            contracts = self._contracts(call.params)
            rows, count = contracts[page], len(contracts)
        else:
            records = self._records(call.params)
            rows, count = self._rows(call.params["ticker"], spoiled(records[page], fault), fault), len(records)
        after = offset + size if count > offset + size else None
        return self._packed(asked, _cut(self._body(asked, call, rows, after, fault), fault))

    def refusal_of(self, status: int) -> Refusal:
        case, message = _USUAL.get(status, ("ERROR", "The request can't be answered."))
        return Refusal(status, case, message)

    def refusal(self, refusal: Refusal) -> Answer:
        word = "error" if refusal.case == "ERROR" else "message"
        return json_answer(refusal.status, {"status": refusal.case, "request_id": request_id(), word: refusal.message})

    def _contracts(self, params: Mapping[str, str]) -> list[Row]:
        today = date.fromisoformat(params["date"]) if "date" in params else self.today
        rows = [one.row(today) for listed in self._listed.values() for one in listed]
        asked_for = {name: value for name, value in params.items() if not name.startswith("date")}
        name, _, direction = params.get("sort", "ticker.asc").partition(".")
        ordered = sorted(rows, key=lambda row: (str(row.get(name)), row["ticker"]), reverse=direction == "desc")
        return filtered(ordered, asked_for, _CONTRACT_FILTERS)

    def _records(self, params: Mapping[str, str]) -> Records:
        if params.get("resolution") not in {"1min", "1minute"}:
            raise Refusal(400, "ERROR", "The stand-in has bars of 1min only.")
        one = self._contract(params["ticker"])
        if one is None or one.records is None:
            return np.zeros(0, RECORD)
        found = between(one.records, params)
        return found[::-1] if params.get("sort", "").endswith("desc") else found

    def _rows(self, ticker: str, records: Records, fault: Fault | None) -> list[Row]:
        one = self._contract(ticker)
        return (
            aggregates(f"{ticker[:-2]}X0" if fault is Fault.OTHER_SCHEMA else ticker, one.root, records) if one else []
        )

    def _contract(self, ticker: str) -> Listed | None:
        return next((one for listed in self._listed.values() for one in listed if one.ticker == ticker), None)

    def _body(self, asked: Asked, call: Call, rows: list[Row], after: int | None, fault: Fault | None) -> bytes:
        page: dict[str, Any] = {"status": "OK", "request_id": request_id(), "results": rows}
        if after is not None:
            page["next_url"] = f"{self.url}{asked.path}?cursor={_packed_cursor(call.params, after)}"
        if fault is Fault.NO_RESULTS:
            del page["results"]
        if fault is Fault.NEXT_LOOP:
            here = int(call.params.get("cursor_offset", 0))
            page["next_url"] = f"{self.url}{asked.path}?cursor={_packed_cursor(call.params, here)}"
        if fault is Fault.NEXT_ELSEWHERE:
            page["next_url"] = f"https://elsewhere.example{asked.path}?cursor={_packed_cursor(call.params, len(rows))}"
        return json.dumps(page, separators=(",", ":")).encode()

    def _packed(self, asked: Asked, body: bytes) -> Answer:
        if self.gzips and "gzip" in asked.headers.get("accept-encoding", ""):
            return Answer(200, gzip.compress(body, 1), headers={"Content-Encoding": "gzip"})
        return Answer(200, body)


def _cut(body: bytes, fault: Fault | None) -> bytes:
    """Return a page up to some row, or into it."""
    between_rows = body.find(b"},{", len(body) // 2)
    if fault not in {Fault.CUT_BETWEEN_RECORDS, Fault.CUT_MID_RECORD}:
        return body
    if between_rows < 0:
        raise ValueError("Too few rows to cut a page between them.")
    return body[: between_rows + 1] if fault is Fault.CUT_BETWEEN_RECORDS else body[: between_rows + 12]


def _packed_cursor(params: Mapping[str, str], offset: int) -> str:
    """Return what leads to the next page: the whole question, as the vendor's cursors hold it too."""
    content = {**params, "cursor_offset": str(offset)}
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _unpacked(params: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters, with those that a cursor holds; a cursor that isn't ours stays."""
    cursor = params.get("cursor")
    if not cursor:
        return dict(params)
    try:
        content: dict[str, str] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        return dict(params)
    return {**content, **{name: value for name, value in params.items() if name != "cursor"}}


def _month(text: str | None) -> str | None:
    if not text:
        return None
    return str(np.datetime64(nanoseconds(text), "ns").astype("datetime64[M]"))
