"""The futures Gantry knows: tick size, point value, exchange, session calendar, default commission, roll rule.

Sources: CME Group's contract specifications. Tick sizes and point values are exact decimals; everything
computed on prices uses integer ticks, money integer ten-thousandths of a dollar.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.errors import invalid


class RollRule(StrEnum):
    """When a position moves to the next contract."""

    VOLUME = "VOLUME"  # the first session after one in which a later expiry traded more than the front


@dataclass(frozen=True, slots=True)
class Instrument:
    """One futures product.

    tick_size: smallest price step, price units. point_value: USD per contract for a move of 1.0 in price.
    commission_usd: default, per contract and side. calendar: a name of pandas-market-calendars.
    may_be_negative: whether a zero or negative price is legal (CL settled at -37.63 on 2020-04-20).
    """

    symbol: str
    name: str
    exchange: str
    tick_size: Decimal
    point_value: Decimal
    commission_usd: Decimal
    calendar: str
    may_be_negative: bool = False
    roll_rule: RollRule = RollRule.VOLUME

    @property
    def tick_value_usd(self) -> Decimal:
        """USD per tick and contract."""
        return self.tick_size * self.point_value

    @property
    def tick_value_e4(self) -> int:
        """Ten-thousandths of a dollar per tick and contract, exact."""
        return int(self.tick_value_usd * 10_000)


def _future(
    symbol: str,
    name: str,
    exchange: str,
    tick: str,
    point: str,
    commission: str,
    calendar: str,
    *,
    negative: bool = False,
) -> Instrument:
    return Instrument(
        symbol,
        name,
        exchange,
        Decimal(tick),
        Decimal(point),
        Decimal(commission),
        calendar,
        may_be_negative=negative,
    )


_EQUITY, _ENERGY, _METAL, _FX, _RATES = (
    "CME_Equity",
    "CMEGlobex_Energy",
    "CMEGlobex_Metals",
    "CMEGlobex_FX",
    "CME_InterestRate",
)
_ALL = (
    _future("ES", "E-mini S&P 500", "CME", "0.25", "50", "2.25", _EQUITY),
    _future("NQ", "E-mini Nasdaq-100", "CME", "0.25", "20", "2.25", _EQUITY),
    _future("YM", "E-mini Dow", "CBOT", "1", "5", "2.25", _EQUITY),
    _future("RTY", "E-mini Russell 2000", "CME", "0.10", "50", "2.25", _EQUITY),
    _future("MES", "Micro E-mini S&P 500", "CME", "0.25", "5", "0.62", _EQUITY),
    _future("MNQ", "Micro E-mini Nasdaq-100", "CME", "0.25", "2", "0.62", _EQUITY),
    _future("MYM", "Micro E-mini Dow", "CBOT", "1", "0.5", "0.62", _EQUITY),
    _future("M2K", "Micro E-mini Russell 2000", "CME", "0.10", "5", "0.62", _EQUITY),
    _future("CL", "Crude Oil", "NYMEX", "0.01", "1000", "2.40", _ENERGY, negative=True),
    _future("MCL", "Micro Crude Oil", "NYMEX", "0.01", "100", "0.77", _ENERGY, negative=True),
    _future("GC", "Gold", "COMEX", "0.10", "100", "2.40", _METAL),
    _future("MGC", "Micro Gold", "COMEX", "0.10", "10", "0.77", _METAL),
    _future("SI", "Silver", "COMEX", "0.005", "5000", "2.40", _METAL),
    _future("6E", "Euro FX", "CME", "0.00005", "125000", "2.40", _FX),
    _future("ZN", "10-Year T-Note", "CBOT", "0.015625", "1000", "1.65", _RATES),
)
INSTRUMENTS: dict[str, Instrument] = {instrument.symbol: instrument for instrument in _ALL}


def get_instrument(symbol: str) -> Instrument:
    """Return the instrument of that symbol.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol, naming the known ones.

    """
    instrument = INSTRUMENTS.get(symbol)
    if instrument is None:
        raise invalid(f"Unknown symbol {symbol!r}.", fix=f"Use one of {', '.join(INSTRUMENTS)}.", field="symbol")
    return instrument
