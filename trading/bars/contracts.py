"""Names of contracts: root, expiry month, and their order.

Names come as exchanges write them (ESH4), with a two-digit year (ESH24), or as root and yyyymm (ES 202403).
A one-digit year repeats every ten years, so readers write it with two (`long_name`) before it is kept.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MONTH_CODES: Final = "FGHJKMNQUVXZ"
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
    """Read a contract's name; None where it is no outright future's (a spread, an instrument id, nothing)."""
    if coded := _CODED.fullmatch(name):
        root, code, digits = coded.groups()
        year = 2000 + int(digits) if len(digits) == 2 else None
        return ContractName(root, year, MONTH_CODES.index(code) + 1, int(digits) % 10)
    if dated := _DATED.fullmatch(name):
        return ContractName(dated[1], int(dated[2]), int(dated[3]), int(dated[2]) % 10)
    return None


def long_name(name: str, *, traded_year: int, traded_month: int) -> str:
    """Return ESH4 as ESH24, the first such expiry not before the month in which it traded; other names as they are."""
    parsed = parse_contract(name)
    if parsed is None or parsed.year is not None:
        return name
    year = traded_year + (parsed.year_digit - traded_year) % 10
    if (year, parsed.month) < (traded_year, traded_month):
        year += 10
    return f"{parsed.root}{MONTH_CODES[parsed.month - 1]}{year % 100:02d}"


def in_order(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, each once, by expiry where all of them tell it, else in order of appearance."""
    once = tuple(dict.fromkeys(names))
    keys: dict[str, tuple[int, int]] = {}
    for name in once:
        parsed = parse_contract(name)
        if parsed is None or parsed.year is None:
            return once
        keys[name] = (parsed.year, parsed.month)
    return tuple(sorted(once, key=lambda name: (keys[name], name)))
