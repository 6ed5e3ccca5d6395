"""Names of contracts: root, expiry month, and their order.

Names come as exchanges write them (ESH4), with a two-digit year (ESH24), or as root and yyyymm (ES 202403).
One expiry has one name in the catalogue, ESH24: readers write the others so (`long_name`) before bars are kept, or the
same bars from two files would count twice.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.words import counted

MONTH_CODES: Final = "FGHJKMNQUVXZ"
_TWO_DIGIT_YEARS: Final = range(2000, 2100)
_CODED = re.compile(rf"([A-Z0-9]{{1,4}}?)([{MONTH_CODES}])(\d{{1,2}})")
_DATED = re.compile(r"([A-Z0-9]{1,4})[ _-](\d{4})-?(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class ContractName:
    """root: product, like ES. year: four digits, or None where the name has one digit only. month: 1 to 12."""

    root: str
    year: int | None
    month: int
    year_digit: int


def parse_contract(name: str) -> ContractName | None:
    """Read a contract's name; None where it is not an outright future's (a spread, an instrument id, nothing)."""
    if coded := _CODED.fullmatch(name):
        root, code, digits = coded.groups()
        year = 2000 + int(digits) if len(digits) == 2 else None
        return ContractName(root, year, MONTH_CODES.index(code) + 1, int(digits) % 10)
    if dated := _DATED.fullmatch(name):
        return ContractName(dated[1], int(dated[2]), int(dated[3]), int(dated[2]) % 10)
    return None


def long_name(name: str, *, traded_year: int, traded_month: int) -> str:
    """Return ESH4 and ES 202403 as ESH24; names without an expiry as they are.

    One digit means the first such expiry not before the month in which it traded.
    """
    parsed = parse_contract(name)
    if parsed is None:
        return name
    year = parsed.year
    if year is None:
        year = traded_year + (parsed.year_digit - traded_year) % 10
        if (year, parsed.month) < (traded_year, traded_month):
            year += 10
    if year not in _TWO_DIGIT_YEARS:
        return name
    return f"{parsed.root}{MONTH_CODES[parsed.month - 1]}{year % 100:02d}"


def rolls_unseen(unnamed: int) -> str:
    """Say in a sentence that so many bars name no contract."""
    return f"{counted(unnamed, 'bar names', 'bars name')} no contract, so rolls can't be seen."


def tells_expiry(name: str) -> bool:
    """Whether the name says when the contract ends; an instrument id doesn't."""
    return parse_contract(name) is not None


def in_order(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, each once, by expiry where all of them have one, else in order of appearance."""
    once = tuple(dict.fromkeys(names))
    keys: dict[str, tuple[int, int]] = {}
    for name in once:
        parsed = parse_contract(name)
        if parsed is None or parsed.year is None:
            return once
        keys[name] = (parsed.year, parsed.month)
    return tuple(sorted(once, key=lambda name: (keys[name], name)))
