"""What the names in a table's symbol and contract columns mean, as vendors and platforms write them.

A contract: ESH4, ESH24, ESH2024, /ESH24, CME_MINI:ESH2024, ES 202403, ES 03-24, ES MAR24. A series of one contract
after another: ES, @ES, /ES, ES.c.0, ES=F, ES1!, @ES#C. A spread names two contracts, or is one of the exchange's own.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from trading.bars.contracts import MONTH_CODES, parse_contract
from trading.instruments import INSTRUMENTS

_ROOT: Final = r"(?P<root>[A-Z0-9]{1,4}?)"
_CODE: Final = rf"[{MONTH_CODES}]\d{{1,4}}"
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_SPREAD: Final = re.compile(
    rf"UD:.*|[A-Z0-9]+:[A-Z0-9]{{2}} {_CODE}.*|.*{_CODE}\s*[-+/]\s*(?:[A-Z_]+:)?[A-Z0-9]*{_CODE}.*"
)
_OPTION: Final = re.compile(rf".*{_CODE} [CP]-?\d+(?:\.\d+)?")
_AROUND: Final = re.compile(
    r"(?:[A-Z][A-Z_]*:)?(?P<sign>[/@]?)(?P<name>.*?)(?P<floor>:X[A-Z]{3}|\.(?:CME|CBOT|NYMEX|COMEX))?"
)
_SERIES: Final = re.compile(rf"{_ROOT}(?:\.[CVN]\.\d+|=F|\d{{1,2}}!|#[A-Z]?)")
_FOUR_DIGITS: Final = re.compile(rf"{_ROOT}(?P<code>[{MONTH_CODES}])20(?P<year>\d\d)")
_MONTH_YEAR: Final = re.compile(rf"{_ROOT} (?P<month>0[1-9]|1[0-2])-(?P<year>\d\d)")
_MONTH_NAME: Final = re.compile(rf"{_ROOT} ?(?P<month>{'|'.join(_MONTHS)}) ?-?(?:20)?(?P<year>\d\d)")


class NameKind(Enum):
    """What a name is of."""

    OUTRIGHT = auto()  # one contract, or a series of them
    SPREAD = auto()
    OPTION = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Name:
    """root: product, like ES. contract: as `trading.bars.contracts` reads it; empty for a series."""

    kind: NameKind
    root: str = ""
    contract: str = ""


def read_name(text: str) -> Name:
    """Return what a name means; UNKNOWN where that is unclear."""
    upper = " ".join(text.upper().split())
    if _SPREAD.fullmatch(upper):
        return Name(NameKind.SPREAD)
    if _OPTION.fullmatch(upper):
        return Name(NameKind.OPTION)
    around = _AROUND.fullmatch(upper)
    name = around["name"] if around else upper
    if contract := _contract(name):
        return contract
    series = _SERIES.fullmatch(name)
    root = series["root"] if series else name
    return Name(NameKind.OUTRIGHT, root) if root in INSTRUMENTS or series else Name(NameKind.UNKNOWN)


def _contract(name: str) -> Name | None:
    if match := _FOUR_DIGITS.fullmatch(name):
        name = f"{match['root']}{match['code']}{match['year']}"
    elif match := _MONTH_YEAR.fullmatch(name):
        name = f"{match['root']}{MONTH_CODES[int(match['month']) - 1]}{match['year']}"
    elif match := _MONTH_NAME.fullmatch(name):
        name = f"{match['root']}{MONTH_CODES[_MONTHS.index(match['month'])]}{match['year']}"
    parsed = parse_contract(name)
    return Name(NameKind.OUTRIGHT, parsed.root, name) if parsed else None
