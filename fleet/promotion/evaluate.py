"""Gates before a stage: each looks at the evidence and says what it saw, what it asks for, and whether that is met."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from math import floor, isfinite
from typing import Final

from fleet.closed_sets import DataLabel, Stage
from fleet.promotion.evidence import Evidence
from fleet.promotion.gates import LIMITS, Gate, GateLimits, GateName, Value
from fleet.stages import STAGE_TRANSITIONS, StageChange
from trading.digits import rounded, text_of, usd_text

_DAY: Final = timedelta(days=1)
_NO_DATA: Final = "It is unknown which bars the figures rest on."
_A_PERSON_ONLY: Final = "In development a person may promote on them, the planner never does."
_NO_GUARDS: Final = "The look-ahead guards weren't run on the newest backtest: grade the bot again."
_NO_CONTRACTS: Final = (
    "The newest backtest's bars name no contract, so rolls can't be seen and count as profit or loss: "
    "import bars with a column contract or instrument_id, then grade the bot again."
)
_NO_BARS: Final = "There is no backtest since the last reset that looked for contracts: grade the bot again."
_NO_PARITY: Final = "Replay parity isn't measured yet."
_NO_IMPROVEMENT: Final = "No improvement made the present version since the last reset, so nothing was walked forward."
_NOTHING: Final = Decimal(0)
_UNKNOWN: Final = "This isn't measured yet; unknown counts as not met."


def next_stage(stage: Stage) -> Stage | None:
    """Return where a promotion leads from here; None from LIVE."""
    return STAGE_TRANSITIONS[StageChange.PROMOTED].get(stage)


def evaluate(to: Stage, evidence: Evidence, now: datetime) -> tuple[Gate, ...]:
    """Return every gate before a stage, in the order of `GateName`. now: aware, as `evidence.created_at`.

    Raises:
        KeyError: for LAB, which no promotion leads to.

    """
    limits = LIMITS[to]
    return tuple(gate for rule in _RULES for gate in rule(limits, evidence, now))


def all_met(gates: tuple[Gate, ...]) -> bool:
    """Whether every one of them is met; none at all proves nothing."""
    return bool(gates) and all(gate.met for gate in gates)


def _figures(limits: GateLimits, evidence: Evidence, _now: datetime) -> Iterator[Gate]:
    found, why = evidence.figures, evidence.missing
    traded = bool(found.trades)
    lossless = "It has no value without a losing trade." if traded else why
    few_days = "It needs two trading days with different results." if traded else why
    yield _at_least(GateName.TRADES, found.trades, limits.trades, why, reported=why if found.trades == 0 else None)
    yield _at_least(GateName.WIN_RATE, found.win_rate, limits.win_rate, why)
    yield _at_most(GateName.MAX_DRAWDOWN, found.max_drawdown_fraction, limits.max_drawdown_fraction, why)
    yield _at_least(GateName.PROFIT_FACTOR, found.profit_factor, limits.profit_factor, lossless)
    yield _at_least(GateName.EXPECTANCY, found.expectancy_usd, limits.expectancy_usd, why)
    yield _at_least(GateName.SHARPE, found.sharpe, limits.sharpe, few_days)


def _trustworthy(limits: GateLimits, evidence: Evidence, now: datetime) -> Iterator[Gate]:
    if limits.age_days is not None:
        age = now - evidence.created_at
        days = floor(age / _DAY * 100) / 100  # rounded down: what is shown as the limit has reached it
        met = age >= limits.age_days * _DAY
        reason = f"The bot was made {days:g} days ago; at least {limits.age_days} required."
        yield Gate(GateName.AGE_DAYS, days, limits.age_days, met, reason, complete=True)
    if limits.losing_trades is not None:
        found = evidence.figures.losing_trades
        yield _at_least(GateName.LOSING_TRADES, found, limits.losing_trades, evidence.missing)
    if limits.vendor_data:
        yield _data(evidence)
    if limits.look_ahead:
        yield _passed(GateName.LOOK_AHEAD_GUARD, evidence.look_ahead_passed, "passed", _NO_GUARDS)
    if limits.rolls_seen:
        yield _rolls(evidence.rolls_seen)


def _rolls(seen: bool | None) -> Gate:
    reason = {True: "Every bar names its contract.", False: _NO_CONTRACTS, None: _NO_BARS}[seen]
    limit = "every bar names its contract"
    return Gate(GateName.ROLLS_SEEN, seen, limit, seen is True, reason, complete=seen is not None)


def _data(evidence: Evidence) -> Gate:
    label = evidence.data_label
    allowed = _labels(evidence)
    limit = " or ".join(allowed)
    if label is None:
        return Gate(GateName.DATA_LABEL, None, limit, False, evidence.missing or _NO_DATA)
    reason = f"The figures rest on {label} bars; {limit} required."
    if label is DataLabel.SIMULATED and evidence.development:
        reason += f" {_A_PERSON_ONLY}"
    return Gate(GateName.DATA_LABEL, label.value, limit, label in allowed, reason, complete=True)


def _labels(evidence: Evidence) -> tuple[DataLabel, ...]:
    """Return the labels of bars that count. Simulated ones never do for the planner: nobody would look at them."""
    if not evidence.development:
        return (DataLabel.VENDOR,)
    return tuple(label for label in DataLabel if label is not DataLabel.SIMULATED or not evidence.automatic)


def _proved(limits: GateLimits, evidence: Evidence, _now: datetime) -> Iterator[Gate]:
    robust = evidence.robustness
    if limits.trading_days is not None:
        missing = "It is unknown since when the bot has been in its stage."
        yield _at_least(GateName.TRADING_DAYS, evidence.trading_days, limits.trading_days, missing)
    if limits.replay_parity:
        yield _passed(GateName.REPLAY_PARITY, evidence.replay_parity, "held", _NO_PARITY)
    if limits.walk_forward is not None:
        share = robust.walk_forward if robust else None
        yield _at_least(GateName.WALK_FORWARD, share, limits.walk_forward, _NO_IMPROVEMENT)
    if limits.overfit_ratio is not None:
        ratio = robust.overfit_ratio if robust else None
        missing = "There was no profit out-of-sample, so there is no ratio." if robust else _NO_IMPROVEMENT
        yield _at_most(GateName.OVERFIT_RATIO, ratio, limits.overfit_ratio, missing)
    if limits.stress_test:
        yield _stress(robust.stress_usd if robust else None)


def _stress(profit: Decimal | None) -> Gate:
    limit = "a profit at doubled costs"
    if profit is None:
        return Gate(GateName.STRESS_TEST, None, limit, False, _NO_IMPROVEMENT)
    seen = usd_text(profit, _NOTHING)
    reason = f"{seen} USD at doubled costs over the sessions that were walked forward; a profit is required."
    return Gate(GateName.STRESS_TEST, seen, limit, profit > 0, reason, complete=True)


def _sanctioned(limits: GateLimits, evidence: Evidence, _now: datetime) -> Iterator[Gate]:
    if limits.second_person:
        asked, approved = evidence.requested_by, evidence.approved_by
        met = asked is not None and approved is not None and approved != asked
        limit = f"a person other than {asked or 'the requester'}"
        reason = (
            f"Approved by {approved}, requested by {asked}."
            if approved
            else f"Nobody has approved it yet; {limit} must."
        )
        yield Gate(GateName.SECOND_PERSON, approved, limit, met, reason, complete=True)
    if limits.live_safety:
        live = evidence.live
        yield _passed(GateName.TRADING_ENABLED, live.trading_enabled, "enabled", _UNKNOWN)
        yield _passed(GateName.BROKER_CONNECTED, live.broker_connected, "connected", _UNKNOWN)
        yield _passed(GateName.RISK_ENGINE, live.risk_engine, "enforcing", _UNKNOWN)
        yield _passed(GateName.LIVE_DATA, live.live_data, "healthy", _UNKNOWN)


_RULES: Final[tuple[Callable[[GateLimits, Evidence, datetime], Iterator[Gate]], ...]] = (
    _figures,
    _trustworthy,
    _proved,
    _sanctioned,
)


def _at_least(
    name: GateName, seen: float | Decimal | None, limit: float | Decimal, missing: str, *, reported: str | None = None
) -> Gate:
    return _measured(name, seen, limit, missing, "at least", lambda value: value >= limit, reported)


def _at_most(name: GateName, seen: float | None, limit: float, missing: str) -> Gate:
    return _measured(name, seen, limit, missing, "at most", lambda value: value <= limit, None)


def _measured(
    name: GateName,
    seen: float | Decimal | None,
    limit: float | Decimal,
    missing: str,
    required: str,
    reaches: Callable[[float | Decimal], bool],
    reported: str | None,
) -> Gate:
    """Hold a figure against a limit; what is not a number is not evidence."""
    if seen is None or not isfinite(seen):
        return Gate(name, None, _plain(limit), False, missing)
    if reported is not None:
        return Gate(name, _shown(seen, limit), _plain(limit), reaches(seen), reported)
    unit = " USD" if isinstance(limit, Decimal) else ""
    reason = f"{text_of(seen, limit)} observed, {required} {limit}{unit} required."
    return Gate(name, _shown(seen, limit), _plain(limit), reaches(seen), reason, complete=True)


def _passed(name: GateName, seen: bool | None, asked: str, missing: str) -> Gate:
    if seen is None:
        return Gate(name, None, asked, False, missing)
    return Gate(name, seen, asked, seen, f"{asked.capitalize()}." if seen else f"Not {asked}.", complete=True)


def _shown(seen: float | Decimal, limit: float | Decimal) -> Value:
    """Return a figure ready for JSON: money as decimal text, a ratio with four digits."""
    if isinstance(seen, Decimal):
        return usd_text(seen, limit if isinstance(limit, Decimal) else None)
    return rounded(seen, float(limit))


def _plain(limit: float | Decimal) -> Value:
    """Return a limit ready for JSON, money as decimal text."""
    return format(limit, "f") if isinstance(limit, Decimal) else limit
