"""Checks of graded bots, judged over the fleet as it stands: a verdict a bot, kept until the bot is graded again.

Guards and analyzers are judged as soon as a bot is graded. The sums of its raw rows cost as much as its trades are
many, so that they follow a few sessions at a time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from fleet.closed_sets import RawCheck
from sql.engine import Transactions
from sql.queries.bots import keys as key_queries
from sql.queries.proof import checks as queries
from trading.backtest.findings import Check

FINDINGS: Final = tuple(check.value for check in Check)
MOST_NAMED: Final = 20
RAW_AT_ONCE: Final = 64  # sessions summed in one transaction: a tenth of a second where they have thousands of trades


@dataclass(frozen=True, slots=True)
class FailingBot:
    """A bot that breaks a rule, by the checks that failed."""

    id: UUID
    name: str
    partition_key: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """How the fleet stands to one rule. judged: active bots it was judged of. failing: the 20 oldest that fail."""

    judged: int
    failing_count: int
    failing: tuple[FailingBot, ...]


def judge_bots(tx: Transactions, bot_ids: Sequence[UUID], *, sum_raw: bool) -> None:
    """Judge bots that were graded just now (a flow). sum_raw: sum their raw rows at once too."""
    with tx() as session:
        queries.judge(session, FINDINGS, bot_ids)
    if sum_raw:
        _sum_raw(tx, bot_ids)


def judge_pending(tx: Transactions) -> None:
    """Judge what was graded and not judged since, and sum the raw rows of up to 64 sessions (a flow)."""
    with tx() as session:
        queries.judge(session, FINDINGS, None)
    with tx() as session:
        queries.compare_raw(session, None, most=RAW_AT_ONCE)


def fleet_verdicts(session: Session, rules: Mapping[str, Collection[str]]) -> Mapping[str, RuleVerdict]:
    """Return how the fleet stands to each rule, in at most two queries. rules: the names of its checks by rule."""
    alike = queries.alike(session, most=MOST_NAMED)
    counts = {rule: sum(one.bots for one in alike if set(one.failed) & set(checks)) for rule, checks in rules.items()}
    oldest = {rule: _oldest(alike, checks) for rule, checks in rules.items()}
    ids = {bot_id for checks_of in oldest.values() for bot_id in checks_of}
    names = {bot_id: (name, key) for bot_id, name, key in key_queries.names(session, ids)} if ids else {}
    judged = sum(one.bots for one in alike)
    raw_compared = sum(one.bots for one in alike if one.raw_compared)
    return {
        rule: RuleVerdict(
            raw_compared if set(checks) & set(RawCheck) else judged,
            counts[rule],
            tuple(FailingBot(bot_id, *names[bot_id], failed) for bot_id, failed in oldest[rule].items()),
        )
        for rule, checks in rules.items()
    }


def _oldest(alike: Sequence[queries.AlikeBots], checks: Collection[str]) -> Mapping[UUID, tuple[str, ...]]:
    """Return the 20 oldest bots that fail one of these checks, each with those that it fails."""
    failing = {
        bot_id: of_rule
        for one in alike
        if (of_rule := tuple(check for check in one.failed if check in checks))
        for bot_id in one.oldest
    }
    return dict(sorted(failing.items())[:MOST_NAMED])


def _sum_raw(tx: Transactions, bot_ids: Sequence[UUID]) -> None:
    while True:
        with tx() as session:
            if queries.compare_raw(session, bot_ids, most=RAW_AT_ONCE) < RAW_AT_ONCE:
                return
