"""What is asked of Databento for a symbol-month: its name of the symbol, and the part of the month there can be."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from core.errors import data_unavailable
from trading.bars.contracts import MONTH_CODES, long_name, parse_contract
from trading.bars.span import Span, span_of
from trading.instruments import INSTRUMENTS, get_instrument

_NS_PER_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class BarsRequest:
    """product: such as ES. vendor_symbol: ES.v.0 (the most traded expiry) or ESH4. span: not empty, UTC.

    contract: the one requested contract, as ESH24; None for the continuous symbol.
    """

    product: str
    month: str
    vendor_symbol: str
    contract: str | None
    span: Span

    @property
    def stype(self) -> Literal["continuous", "raw_symbol"]:
        """The vendor's name for the kind of symbol."""
        return "continuous" if self.contract is None else "raw_symbol"

    @property
    def name(self) -> str:
        """The payload's file name."""
        return f"{self.product if self.contract is None else self.vendor_symbol}-{self.month}.dbn.zst"

    @property
    def start(self) -> datetime:
        """The first requested minute."""
        return _moment(self.span.start_ns)

    @property
    def end(self) -> datetime:
        """The minute after the last requested one."""
        return _moment(self.span.end_ns)


def asked_of(symbol: str, month: str, available: Callable[[], Span], now: datetime | None) -> BarsRequest:
    """Return what to ask for a product (ES) or a single contract (ESH4, ESH24) in a month, YYYY-MM, UTC.

    available: asks what the dataset has, after all else is found right. now: aware; minutes not finished by then are
    left out; None: as far as the dataset reaches.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol or a malformed month; DATA_UNAVAILABLE for a month that
            has not begun, outside of what there is (naming that), or in which another contract has the short name.

    """
    product, vendor_symbol, contract = _named(symbol, month)
    whole = span_of(month)
    if now is not None:
        whole = whole.until(now)
    if not whole.minutes:
        raise data_unavailable(f"{month} has not begun.", fix="Fetch a month that has finished minutes.")
    there = available()
    span = Span(max(whole.start_ns, there.start_ns), min(whole.end_ns, there.end_ns))
    if not span.minutes:
        edges = {"available_start": _moment(there.start_ns), "available_end": _moment(there.end_ns)}
        first, last = (f"{edge:%Y-%m-%d %H:%M} UTC" for edge in edges.values())
        raise data_unavailable(
            f"Databento has no data for {month}: its dataset runs from {first} to {last}.",
            fix="Fetch a month within that range, or from another provider.",
            facts={name: edge.isoformat() for name, edge in edges.items()},
        )
    return BarsRequest(product, month, vendor_symbol, contract, span)


def _named(symbol: str, month: str) -> tuple[str, str, str | None]:
    parsed = None if symbol in INSTRUMENTS else parse_contract(symbol)
    if parsed is None or parsed.root not in INSTRUMENTS:
        return get_instrument(symbol).symbol, f"{symbol}.v.0", None
    span_of(month)  # refuses what is not a month
    year, number = int(month[:4]), int(month[5:])
    # The vendor names contracts as the exchange does, by one digit, which comes again after ten years.
    short = f"{parsed.root}{MONTH_CODES[parsed.month - 1]}{parsed.year_digit}"
    traded = long_name(short, traded_year=year, traded_month=number)
    if parsed.year is not None and long_name(symbol, traded_year=year, traded_month=number) != traded:
        raise data_unavailable(
            f"In {month} {short} is {traded}, not {symbol}.",
            fix="Fetch a month from the ten years before the contract's expiry.",
        )
    return parsed.root, short, traded


def _moment(ns: int) -> datetime:
    return datetime.fromtimestamp(ns // _NS_PER_SECOND, UTC)
