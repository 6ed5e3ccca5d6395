"""Gates: each at, below and above its limit; what isn't there never meets one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest

from fleet.closed_sets import DataLabel, Stage, TradeSource
from fleet.promotion.evaluate import all_met, evaluate, next_stage
from fleet.promotion.evidence import Evidence, EvidenceFigures, LiveSafety, Robustness
from fleet.promotion.gates import LIMITS, PAPER_LIMITS, Gate, GateName

NOW = datetime(2024, 1, 10, 20, tzinfo=UTC)
# CONTRACTS' table, written a second time on purpose.
TABLE = {
    "PAPER": (50, 0.35, 0.20, 1.2, 10, 0.5),
    "SHADOW": (100, 0.40, 0.15, 1.3, 15, 0.7),
    "CANARY": (200, 0.45, 0.12, 1.4, 20, 0.9),
    "LIVE": (300, 0.48, 0.10, 1.5, 25, 1.0),
}
ALSO = {
    "PAPER": {"age_days": 1, "losing_trades": 1, "vendor_data": True, "look_ahead": True},
    "SHADOW": {"rolls_seen": True, "trading_days": 5, "replay_parity": True},
    "CANARY": {
        "rolls_seen": True,
        "trading_days": 10,
        "walk_forward": 0.5,
        "overfit_ratio": 2.5,
        "second_person": True,
    },
    "LIVE": {
        "rolls_seen": True,
        "trading_days": 14,
        "walk_forward": 0.6,
        "overfit_ratio": 2.0,
        "stress_test": True,
        "second_person": True,
        "live_safety": True,
    },
}
FIGURES = ("trades", "win_rate", "max_drawdown_fraction", "profit_factor", "expectancy_usd", "sharpe")
GATE_OF = dict(
    zip(FIGURES, ("TRADES", "WIN_RATE", "MAX_DRAWDOWN", "PROFIT_FACTOR", "EXPECTANCY", "SHARPE"), strict=True)
)
GATES_OF = {
    "PAPER": ["AGE_DAYS", "LOSING_TRADES", "DATA_LABEL", "LOOK_AHEAD_GUARD"],
    "SHADOW": ["ROLLS_SEEN", "TRADING_DAYS", "REPLAY_PARITY"],
    "CANARY": ["ROLLS_SEEN", "TRADING_DAYS", "WALK_FORWARD", "OVERFIT_RATIO", "SECOND_PERSON"],
    "LIVE": [
        *("ROLLS_SEEN", "TRADING_DAYS", "WALK_FORWARD", "OVERFIT_RATIO", "STRESS_TEST", "SECOND_PERSON"),
        *("TRADING_ENABLED", "BROKER_CONNECTED", "RISK_ENGINE", "LIVE_DATA"),
    ],
}


def at_the_limit(to: Stage) -> Evidence:
    """Evidence that meets every gate before a stage, and not by a hair more."""
    limits = LIMITS[to]
    return Evidence(
        source=TradeSource.BACKTEST,
        figures=EvidenceFigures(
            trades=limits.trades,
            losing_trades=1,
            win_rate=limits.win_rate,
            max_drawdown_fraction=limits.max_drawdown_fraction,
            profit_factor=limits.profit_factor,
            expectancy_usd=limits.expectancy_usd,
            sharpe=limits.sharpe,
        ),
        missing="Nothing was measured.",
        created_at=NOW - timedelta(days=1),
        development=False,
        data_label=DataLabel.VENDOR,
        look_ahead_passed=True,
        rolls_seen=True,
        trading_days=limits.trading_days,
        replay_parity=True,
        robustness=Robustness(limits.walk_forward, limits.overfit_ratio, Decimal("0.01")),
        requested_by="one",
        approved_by="two",
        live=LiveSafety(True, True, True, True),
    )


def gate(to: Stage, name: str, evidence: Evidence, now: datetime = NOW) -> Gate:
    (found,) = [one for one in evaluate(to, evidence, now) if one.name == name]
    return found


def with_figure(evidence: Evidence, name: str, value: object) -> Evidence:
    return replace(evidence, figures=replace(evidence.figures, **{name: value}))  # type: ignore[arg-type]


@pytest.mark.parametrize("to", LIMITS)
def test_the_limits_are_those_of_the_contract(to: Stage) -> None:
    limits = LIMITS[to]
    assert tuple(getattr(limits, name) for name in FIGURES) == TABLE[to]
    rest = {name: getattr(limits, name) for name in limits.__slots__ if name not in FIGURES}
    assert {name: value for name, value in rest.items() if value} == ALSO[to]


def test_every_stage_but_lab_has_its_gates() -> None:
    assert set(LIMITS) == set(Stage) - {Stage.LAB}
    assert LIMITS[Stage.PAPER] is PAPER_LIMITS
    assert [next_stage(stage) for stage in Stage] == ["PAPER", "SHADOW", "CANARY", "LIVE", None]


@pytest.mark.parametrize("to", LIMITS)
def test_what_is_at_every_limit_meets_every_gate(to: Stage) -> None:
    gates = evaluate(to, at_the_limit(to), NOW)
    assert [one.name for one in gates] == [*GATE_OF.values(), *GATES_OF[to]]
    assert [one.name for one in gates if not one.met] == []
    assert all_met(gates)
    assert all(one.reason and one.limit is not None and one.observed is not None for one in gates)


def test_no_gates_at_all_are_no_proof() -> None:
    assert not all_met(())


def step(value: Any, up: bool) -> Any:
    """The nearest figure above or below."""
    if isinstance(value, int):
        return value + (1 if up else -1)
    if isinstance(value, Decimal):
        return value + Decimal("0.0001") * (1 if up else -1)
    return value + (1e-9 if up else -1e-9)


@pytest.mark.parametrize("to", LIMITS)
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_beyond_its_limit_fails_its_own_gate_alone_and_one_within_passes(to: Stage, name: str) -> None:
    limit = getattr(LIMITS[to], name)
    too_much = name == "max_drawdown_fraction"
    beyond = evaluate(to, with_figure(at_the_limit(to), name, step(limit, up=too_much)), NOW)
    assert [one.name for one in beyond if not one.met] == [GATE_OF[name]]
    assert all_met(evaluate(to, with_figure(at_the_limit(to), name, step(limit, up=not too_much)), NOW))


@pytest.mark.parametrize("to", LIMITS)
@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("nothing", [None, nan, inf, -inf])
def test_a_figure_that_is_no_number_meets_nothing_and_is_shown_as_null(
    to: Stage, name: str, nothing: float | None
) -> None:
    found = gate(to, GATE_OF[name], with_figure(at_the_limit(to), name, nothing))
    assert (found.met, found.observed) == (False, None)
    assert found.reason


def test_no_trade_at_all_is_shown_with_its_reason() -> None:
    evidence = replace(
        at_the_limit(Stage.SHADOW), figures=EvidenceFigures(trades=0), missing="No PAPER trades since May."
    )
    found = {one.name: one for one in evaluate(Stage.SHADOW, evidence, NOW)}
    assert (found[GateName.TRADES].observed, found[GateName.TRADES].reason) == (0, "No PAPER trades since May.")
    assert {found[name].reason for name in (GateName.WIN_RATE, GateName.SHARPE, GateName.PROFIT_FACTOR)} == {
        "No PAPER trades since May."
    }


CHANGES: list[tuple[Stage, str, Callable[[Evidence], Evidence]]] = [
    (Stage.PAPER, "AGE_DAYS", lambda was: replace(was, created_at=was.created_at + timedelta(microseconds=1))),
    (Stage.PAPER, "LOSING_TRADES", lambda was: with_figure(was, "losing_trades", 0)),
    (Stage.PAPER, "LOSING_TRADES", lambda was: with_figure(was, "losing_trades", None)),
    (Stage.PAPER, "DATA_LABEL", lambda was: replace(was, data_label=DataLabel.SIMULATED)),
    (Stage.PAPER, "DATA_LABEL", lambda was: replace(was, data_label=DataLabel.IMPORTED)),
    (Stage.PAPER, "DATA_LABEL", lambda was: replace(was, data_label=None)),
    (Stage.PAPER, "DATA_LABEL", lambda was: replace(was, data_label=None, development=True)),
    (
        Stage.PAPER,
        "DATA_LABEL",
        lambda was: replace(was, data_label=DataLabel.SIMULATED, development=True, automatic=True),
    ),
    (Stage.PAPER, "LOOK_AHEAD_GUARD", lambda was: replace(was, look_ahead_passed=False)),
    (Stage.PAPER, "LOOK_AHEAD_GUARD", lambda was: replace(was, look_ahead_passed=None)),
    *(
        (to, "ROLLS_SEEN", lambda was, seen=seen: replace(was, rolls_seen=seen))
        for to in (Stage.SHADOW, Stage.CANARY, Stage.LIVE)
        for seen in (False, None)
    ),
    (Stage.SHADOW, "REPLAY_PARITY", lambda was: replace(was, replay_parity=False)),
    (Stage.SHADOW, "REPLAY_PARITY", lambda was: replace(was, replay_parity=None)),
    *(
        (to, "TRADING_DAYS", lambda was, days=days: replace(was, trading_days=days))
        for to, days in ((Stage.SHADOW, 4), (Stage.CANARY, 9), (Stage.LIVE, 13), (Stage.SHADOW, None))
    ),
    *(
        (to, name, lambda was, robust=robust: replace(was, robustness=robust))
        for to, name, robust in (
            (Stage.CANARY, "WALK_FORWARD", Robustness(0.4999, 2.5, None)),
            (Stage.LIVE, "WALK_FORWARD", Robustness(0.5999, 2.0, Decimal(1))),
            (Stage.CANARY, "WALK_FORWARD", Robustness(None, 2.5, None)),
            (Stage.CANARY, "OVERFIT_RATIO", Robustness(0.5, 2.5001, None)),
            (Stage.LIVE, "OVERFIT_RATIO", Robustness(0.6, 2.0001, Decimal(1))),
            (Stage.CANARY, "OVERFIT_RATIO", Robustness(0.5, None, None)),
            (Stage.LIVE, "STRESS_TEST", Robustness(0.6, 2.0, Decimal(0))),
            (Stage.LIVE, "STRESS_TEST", Robustness(0.6, 2.0, Decimal("-0.01"))),
            (Stage.LIVE, "STRESS_TEST", Robustness(0.6, 2.0, None)),
        )
    ),
    *((to, "SECOND_PERSON", lambda was: replace(was, approved_by=None)) for to in (Stage.CANARY, Stage.LIVE)),
    *((to, "SECOND_PERSON", lambda was: replace(was, approved_by="one")) for to in (Stage.CANARY, Stage.LIVE)),
    (Stage.CANARY, "SECOND_PERSON", lambda was: replace(was, requested_by=None)),
    *(
        (Stage.LIVE, name, lambda was, field=field, seen=seen: replace(was, live=replace(was.live, **{field: seen})))
        for name, field in (
            ("TRADING_ENABLED", "trading_enabled"),
            ("BROKER_CONNECTED", "broker_connected"),
            ("RISK_ENGINE", "risk_engine"),
            ("LIVE_DATA", "live_data"),
        )
        for seen in (False, None)
    ),
]


@pytest.mark.parametrize(("to", "name", "change"), CHANGES)
def test_each_other_gate_fails_alone_just_below_its_limit_or_without_evidence(
    to: Stage, name: str, change: Callable[[Evidence], Evidence]
) -> None:
    gates = evaluate(to, change(at_the_limit(to)), NOW)
    assert [one.name for one in gates if not one.met] == [name]
    assert next(one.reason for one in gates if not one.met)


def test_every_gate_there_is_was_tried_below_its_limit() -> None:
    assert {name for _to, name, _change in CHANGES} | set(GATE_OF.values()) == {name.value for name in GateName}


def test_without_an_improvement_nothing_was_walked_forward() -> None:
    gates = evaluate(Stage.LIVE, replace(at_the_limit(Stage.LIVE), robustness=None), NOW)
    assert [one.name for one in gates if not one.met] == ["WALK_FORWARD", "OVERFIT_RATIO", "STRESS_TEST"]


@pytest.mark.parametrize("label", DataLabel)
def test_in_development_any_bars_are_evidence(label: DataLabel) -> None:
    evidence = replace(at_the_limit(Stage.PAPER), data_label=label, development=True)
    assert all_met(evaluate(Stage.PAPER, evidence, NOW))


@pytest.mark.parametrize("label", DataLabel)
@pytest.mark.parametrize("development", [True, False])
def test_the_planner_never_takes_simulated_bars_for_evidence(label: DataLabel, development: bool) -> None:
    evidence = replace(at_the_limit(Stage.PAPER), data_label=label, development=development, automatic=True)
    counts = {DataLabel.VENDOR, DataLabel.IMPORTED} if development else {DataLabel.VENDOR}
    assert all_met(evaluate(Stage.PAPER, evidence, NOW)) is (label in counts)


@pytest.mark.parametrize("automatic", [True, False])
def test_in_development_the_gate_says_who_may_promote_on_simulated_bars(automatic: bool) -> None:
    evidence = replace(at_the_limit(Stage.PAPER), data_label=DataLabel.SIMULATED, development=True, automatic=automatic)
    found = gate(Stage.PAPER, "DATA_LABEL", evidence)
    assert found.met is not automatic
    assert found.reason == (
        f"The figures rest on SIMULATED bars; {found.limit} required. "
        "In development a person may promote on them, the planner never does."
    )


def test_bars_without_contracts_lead_as_far_as_paper_and_the_gate_after_it_says_what_to_import() -> None:
    blind = replace(at_the_limit(Stage.PAPER), rolls_seen=False)
    assert all_met(evaluate(Stage.PAPER, blind, NOW))
    found = gate(Stage.SHADOW, "ROLLS_SEEN", replace(at_the_limit(Stage.SHADOW), rolls_seen=False))
    assert (found.met, found.observed, found.limit) == (False, False, "every bar names its contract")
    assert "rolls can't be seen" in found.reason
    assert "import bars with a column contract or instrument_id, then grade the bot again" in found.reason


def test_an_age_just_below_a_day_is_not_shown_as_a_day() -> None:
    evidence = replace(at_the_limit(Stage.PAPER), created_at=NOW - timedelta(days=1) + timedelta(seconds=1))
    found = gate(Stage.PAPER, "AGE_DAYS", evidence)
    assert (found.observed, found.met) == (0.99, False)


def test_a_gate_is_json_with_money_as_text() -> None:
    found = gate(Stage.PAPER, "EXPECTANCY", with_figure(at_the_limit(Stage.PAPER), "expectancy_usd", Decimal("9.9999")))
    assert found.as_json() == {
        "gate": "EXPECTANCY",
        "observed": "9.9999",
        "limit": "10",
        "met": False,
        "reason": "9.9999 USD observed, at least 10 USD required.",
    }


def test_a_figure_has_four_digits_unless_they_would_hide_that_it_misses_its_limit() -> None:
    reached, missed = (
        gate(Stage.PAPER, "WIN_RATE", with_figure(at_the_limit(Stage.PAPER), "win_rate", rate))
        for rate in (0.1 + 0.3, 0.349999)
    )
    assert (reached.observed, reached.reason) == (0.4, "0.4 observed, at least 0.35 required.")
    assert (missed.observed, missed.met) == (0.349999, False)
    found = gate(Stage.PAPER, "SHARPE", with_figure(at_the_limit(Stage.PAPER), "sharpe", 1.23456789))
    assert found.sentence == "1.235 observed, at least 0.5 required."


@pytest.mark.parametrize("to", LIMITS)
def test_the_sentence_of_a_gate_names_what_was_observed_and_its_limit_once(to: Stage) -> None:
    for found in evaluate(to, at_the_limit(to), NOW):
        assert found.sentence == found.reason, "which says both"
    ungraded = replace(at_the_limit(to), figures=EvidenceFigures(), missing="It was never graded.")
    for found in evaluate(to, ungraded, NOW)[:6]:
        assert found.sentence == f"Observed nothing, limit {found.limit}. {found.reason}"
