"""What must always hold, checked over the whole database by `gantry doctor` and by every test of faults."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from math import isclose
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from sql.queries.proof import invariants as queries
from sql.queries.proof import invariants_improvements as improvements
from sql.queries.proof import invariants_results as results
from trading import metrics
from trading.backtest.types import STARTING_CAPITAL_USD

MOST_OF_A_KIND: Final = 20  # rows found by one rule; one is enough to be wrong
ROLLUPS: Final = "ROLLUPS"
INVARIANTS: Final[Mapping[str, str]] = {
    "I1": "every job was queued, and goes on until it ends",
    "I2": "one active job a bot, leases never overlap, effects only under a lease",
    "I3": "each job's ledger is legal and without gaps, and ends in the job's state",
    "I4": "attempts are counted and bounded, what is final stays",
    "I5": "a lost attempt left nothing behind",
    "I6": "a completed session has all its trades and days, to the cent",
    "I7": "each change of stage and each reset has its one audit row",
    "I8": "raw rows can't be changed: what refuses that is in place",
    "I9": "metrics count the newest result of the present epoch and version, and no other",
    ROLLUPS: "metrics are those of the raw rows",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that must not be: the invariant it breaks, a sentence, and the rows it was seen in, with ids."""

    invariant: str
    message: str
    facts: Mapping[str, Any]


def check_invariants(session: Session, *, quiet: bool = False) -> tuple[Violation, ...]:
    """Return what is wrong, at most 20 rows a rule; empty when all is well. Reads only.

    quiet: nothing is at work any more, so that a job which hasn't ended is wrong too.
    """
    queries.allow_long_statements(session)
    found = [
        Violation(rule.invariant, rule.message.format_map(row), row)
        for rule in (*queries.RULES, *results.RULES, *improvements.RULES, *((queries.AT_REST,) if quiet else ()))
        for row in queries.offenders(session, rule, limit=MOST_OF_A_KIND)
    ]
    found += islice(_wrong_rollups(session), MOST_OF_A_KIND)
    return tuple(sorted(found, key=lambda violation: list(INVARIANTS).index(violation.invariant)))


def invariant_lines(violations: Sequence[Violation]) -> Iterator[str]:
    """Yield a line for each invariant, and below it one for each violation."""
    for name, rule in INVARIANTS.items():
        found = [one for one in violations if one.invariant == name]
        yield f"{name:<8} {f'{len(found)} violations' if found else 'ok':<14} {rule}"
        yield from (f"         {one.message}" for one in found)


def _wrong_rollups(session: Session) -> Iterator[Violation]:
    for row in queries.stream(session, results.ROLLUPS):
        expected = _recomputed(row)
        differ = [name for name, value in expected.items() if not _same(row[name], value)]
        if differ:
            reported = ", ".join(f"{name} is {row[name]}, raw rows say {expected[name]}" for name in differ)
            facts = {"bot_id": row["bot_id"], "session_id": row["session_id"], "fields": differ}
            yield Violation(ROLLUPS, f"rollup of bot {row['bot_id']}: {reported}", facts)


def _recomputed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rollup's fields as the raw rows of its session have them."""
    deepest: Decimal = row["raw_max_drawdown_usd"]
    closings = np.array(row["closings_e4"], np.int64)
    return {
        "epoch": row["raw_epoch"],
        "total_trades": row["raw_total_trades"],
        "wins": row["raw_wins"],
        "net_pnl": row["raw_net_pnl"],
        "open_pnl": (metrics.usd(int(closings[-1])) if len(closings) else Decimal(0)) - row["raw_net_pnl"],
        "gross_profit": row["raw_gross_profit"],
        "gross_loss": row["raw_gross_loss"],
        "max_drawdown_usd": deepest,
        "max_drawdown_fraction": float(deepest / STARTING_CAPITAL_USD),
        "sharpe": metrics.sharpe_ratio(np.diff(closings, prepend=0)),
        "profit_factor": metrics.profit_factor(row["raw_gross_profit"], row["raw_gross_loss"]),
    }


def _same(stored: object, expected: object) -> bool:
    """Whether they are equal; ratios are stored as floats, whose last digits depend on the order of sums."""
    if isinstance(stored, float) and isinstance(expected, float):
        return isclose(stored, expected, rel_tol=1e-9)
    return stored == expected
