"""Prices in 32nds of a point, as platforms show Treasury futures: 111-16, 111-165, 111'16+ for 111.5 and a bit more."""

import re
from decimal import Decimal
from typing import Final

from core.errors import GantryError, bad_data
from integrations.files.columns import Column
from trading.instruments import Instrument

_PRICE: Final = re.compile(r"\d{2,3}['\u2019^-](?:[0-2]\d|3[01])(?:\.?\d{1,2}|\+)?")
_TICKS: Final = (Decimal(1) / 32, Decimal(1) / 64)


def in_32nds(text: str) -> bool:
    """Whether a text looks like a price in 32nds."""
    return _PRICE.fullmatch(text) is not None


def trades_in_32nds(instrument: Instrument) -> bool:
    """Whether an instrument's ticks are 32nds, or halves of them."""
    return instrument.tick_size in _TICKS


def price_in_32nds(column: Column, row: int) -> GantryError:
    """Return the refusal of a price in 32nds."""
    return bad_data(
        f"{column.place(row)}: {column.name} is {column.texts()[row]!r}, a price in 32nds of a point.",
        fix="Export prices as decimals, such as 111.5 for 111-16.",
    )
