"""The autonomy score: known answers, missing signals, tiers, and that better never scores lower."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.autonomy_score import BlockerCode, MonthQuality, ScoreSignals, score, tier_of
from fleet.closed_sets import DataLabel, QualityVerdict, Tier
from trading.backtest.findings import Check, Finding
from trading.metrics import Metrics


def metrics(
    *,
    trades: int = 50,
    win: float | None = 0.35,
    factor: float | None = 1.2,
    sharpe: float | None = 0.5,
    expectancy: str | None = "10",
    drawdown: float = 0.2,
) -> Metrics:
    return Metrics(
        net_pnl=Decimal(500),
        open_pnl=Decimal(0),
        gross_profit=Decimal(3000),
        gross_loss=Decimal(-2500),
        total_trades=trades,
        wins=0,
        losses=0,
        win_rate=win,
        max_drawdown_usd=Decimal(10_000),
        max_drawdown_fraction=drawdown,
        sharpe=sharpe,
        profit_factor=factor,
        expectancy=None if expectancy is None else Decimal(expectancy),
    )


GOOD_MONTH = MonthQuality("2024-01", QualityVerdict.OK, 1.0)
WORST = ScoreSignals(None, None, (), None)
PAPER_READY = ScoreSignals(metrics(), DataLabel.VENDOR, (GOOD_MONTH,), look_ahead_passed=True)
PERFECT = replace(PAPER_READY, metrics=metrics(drawdown=0.0), runner_health=1.0, supervisor_health=1.0)


def subscores(signals: ScoreSignals) -> dict[str, float | None]:
    return {name: part.score for name, part in score(signals).subscores.items()}


def blockers(signals: ScoreSignals) -> list[str]:
    return [item.code.value for item in score(signals).blockers]


def test_a_bot_without_any_signal_scores_nothing_and_says_why() -> None:
    found = score(WORST)
    assert (found.total, found.tier) == (0.0, Tier.LOCKED)
    assert set(subscores(WORST).values()) == {None}
    assert blockers(WORST) == ["NO_BARS", "NEEDS_BACKTEST", "NO_RUNNER", "NO_SUPERVISOR"]
    assert all(item.message and item.suggested_fix for item in found.blockers)


def test_a_bot_just_good_enough_for_paper_has_its_known_score() -> None:
    assert subscores(PAPER_READY) == {
        "data_reliability": 100.0,
        "decision_quality": 100.0,
        "risk_discipline": 50.0,
        "execution_health": None,
        "supervisor_trust": None,
    }
    found = score(PAPER_READY)
    assert (found.total, found.tier) == (50.0, Tier.SUPERVISED)
    assert blockers(PAPER_READY) == ["NO_RUNNER", "NO_SUPERVISOR"]


def test_everything_perfect_is_full_autonomy_without_blockers() -> None:
    found = score(PERFECT)
    assert (found.total, found.tier, found.blockers) == (100.0, Tier.FULL_AUTONOMY, ())


def test_the_parts_of_decision_quality_weigh_alike_and_want_evidence() -> None:
    half = metrics(trades=25, win=0.175, factor=1.1, expectancy="5", sharpe=0.25)
    assert subscores(replace(PAPER_READY, metrics=half))["decision_quality"] == 25.0
    losing = metrics(win=0.5, factor=0.8, expectancy="-12", sharpe=-1.0)
    assert subscores(replace(PAPER_READY, metrics=losing))["decision_quality"] == 25.0


def test_figures_that_do_not_exist_count_nothing() -> None:
    unknown = metrics(win=None, factor=None, expectancy=None, sharpe=None)
    assert subscores(replace(PAPER_READY, metrics=unknown))["decision_quality"] == 0.0
    not_a_number = metrics(win=float("nan"), factor=float("nan"), expectancy=None, sharpe=float("nan"))
    assert subscores(replace(PAPER_READY, metrics=not_a_number))["decision_quality"] == 0.0


@pytest.mark.parametrize(("drawdown", "expected"), [(0.0, 100.0), (0.1, 75.0), (0.2, 50.0), (0.4, 0.0), (3.0, 0.0)])
def test_risk_discipline_falls_to_nothing_at_twice_the_paper_limit(drawdown: float, expected: float) -> None:
    assert subscores(replace(PAPER_READY, metrics=metrics(drawdown=drawdown)))["risk_discipline"] == expected


def test_a_backtest_without_trades_shows_no_discipline() -> None:
    idle = replace(PAPER_READY, metrics=metrics(trades=0, drawdown=0.0))
    assert subscores(idle)["risk_discipline"] is None
    assert "NO_TRADES" in blockers(idle)


def test_a_backtest_without_trades_earns_no_points_at_all() -> None:
    idle = replace(PERFECT, metrics=metrics(trades=0, drawdown=0.0))
    assert set(subscores(idle).values()) == {None}
    assert (score(idle).total, score(idle).tier, score(idle).attainable) == (0.0, Tier.LOCKED, 100.0)


LEAK = Finding(Check.SHIFT, False, 3, "At bar 7 (2024-01-02T15:07:00Z) target is LONG.")


@pytest.mark.parametrize(
    ("guard", "passed", "code"),
    [
        (LEAK, False, "LOOK_AHEAD"),
        (None, False, "LOOK_AHEAD"),
        (Finding(Check.DETERMINISM, False, 9, "Deciding again gives other decisions."), True, "GUARD_FAILED"),
    ],
)
def test_a_bot_that_fails_a_guard_is_locked_with_nothing_and_the_guard_first(
    guard: Finding | None, passed: bool, code: str
) -> None:
    found = score(replace(PERFECT, look_ahead_passed=passed, failed_guard=guard))
    assert (found.total, found.tier, found.attainable) == (0.0, Tier.LOCKED, 0.0)
    assert {part.score for part in found.subscores.values()} == {0.0}
    assert found.locked_by == found.blockers[0]
    assert found.blockers[0].code.value == code
    assert (guard.message if guard else "reads the future") in found.blockers[0].message


@pytest.mark.parametrize(
    ("signals", "most"),
    [
        (WORST, 60.0),
        (PAPER_READY, 60.0),
        (replace(PAPER_READY, data_label=DataLabel.SIMULATED), 50.0),
        (replace(PAPER_READY, runner_health=0.1), 80.0),
        (PERFECT, 100.0),
    ],
)
def test_a_score_has_a_maximum_that_the_best_results_could_have_now(signals: ScoreSignals, most: float) -> None:
    assert score(signals).attainable == most
    assert score(signals).locked_by is None


def test_months_count_by_verdict_and_coverage() -> None:
    months = (
        GOOD_MONTH,
        MonthQuality("2024-02", QualityVerdict.WARN, 0.8),
        MonthQuality("2024-03", QualityVerdict.BLOCKED, 1.0),
        MonthQuality("2024-04", QualityVerdict.OK, 1.7),
    )
    assert subscores(replace(PAPER_READY, months=months))["data_reliability"] == (100 + 60 + 0 + 100) / 4
    assert "BARS_BLOCKED" in blockers(replace(PAPER_READY, months=months))


def test_simulated_bars_halve_reliability_and_hold_a_perfect_bot_back() -> None:
    simulated = replace(PERFECT, data_label=DataLabel.SIMULATED)
    assert subscores(simulated)["data_reliability"] == 50.0
    assert blockers(simulated) == ["SIMULATED_DATA"]
    assert score(simulated).tier is Tier.LIMITED_AUTONOMY


@pytest.mark.parametrize(("passed", "quality", "code"), [(False, 0.0, "LOOK_AHEAD"), (None, None, "GUARDS_NOT_RUN")])
def test_a_strategy_that_may_read_the_future_has_no_quality(
    passed: bool | None, quality: float | None, code: str
) -> None:
    signals = replace(PERFECT, look_ahead_passed=passed)
    assert subscores(signals)["decision_quality"] == quality
    assert code in blockers(signals)
    assert score(signals).tier is not Tier.FULL_AUTONOMY


@pytest.mark.parametrize(
    ("total", "tier"),
    [
        (0, Tier.LOCKED),
        (39.99, Tier.LOCKED),
        (40, Tier.SUPERVISED),
        (59.99, Tier.SUPERVISED),
        (60, Tier.LIMITED_AUTONOMY),
        (79.99, Tier.LIMITED_AUTONOMY),
        (80, Tier.FULL_AUTONOMY),
        (100, Tier.FULL_AUTONOMY),
    ],
)
def test_tiers_begin_at_40_60_and_80(total: float, tier: Tier) -> None:
    assert tier_of(total, blocked=False) is tier
    assert tier_of(total, blocked=True) is (Tier.LIMITED_AUTONOMY if total >= 80 else tier)


def test_the_breakdown_is_json_and_names_every_subscore_and_blocker() -> None:
    shown = json.loads(json.dumps(score(WORST).breakdown()))
    assert len(shown["subscores"]) == 5
    assert sum(part["weight"] for part in shown["subscores"].values()) == pytest.approx(1)
    assert {item["code"] for item in shown["blockers"]} <= {code.value for code in BlockerCode}


fractions = st.floats(0, 3)
signals = st.builds(
    ScoreSignals,
    metrics=st.none()
    | st.builds(
        metrics,
        trades=st.integers(0, 500),
        win=st.none() | st.floats(0, 1),
        factor=st.none() | st.floats(0, 50),
        sharpe=st.none() | st.floats(-20, 20),
        expectancy=st.none() | st.integers(-500, 500).map(str),
        drawdown=fractions,
    ),
    data_label=st.none() | st.sampled_from(DataLabel),
    months=st.lists(
        st.builds(MonthQuality, st.just("2024-01"), st.sampled_from(QualityVerdict), fractions), max_size=3
    ).map(tuple),
    look_ahead_passed=st.none() | st.booleans(),
    failed_guard=st.none() | st.just(LEAK),
    runner_health=st.none() | st.floats(0, 1),
    supervisor_health=st.none() | st.floats(0, 1),
)


@given(signals)
def test_a_score_is_always_within_0_and_100_and_a_missing_subscore_has_a_blocker(found: ScoreSignals) -> None:
    scored = score(found)
    assert 0 <= scored.total <= 100
    parts = [part.score for part in scored.subscores.values()]
    assert all(part is None or 0 <= part <= 100 for part in parts)
    assert scored.total == pytest.approx(sum(part or 0 for part in parts) / 5, abs=0.01)
    assert scored.blockers or None not in parts
    assert not (scored.blockers and scored.tier is Tier.FULL_AUTONOMY)
    assert scored.total <= scored.attainable + 0.01
    assert scored.total == 0 or (found.metrics and found.metrics.total_trades and not scored.locked_by)


@given(signals, fractions)
def test_a_missing_signal_never_raises_the_score(found: ScoreSignals, health: float) -> None:
    with_runner = replace(found, runner_health=min(health, 1.0))
    assert score(replace(found, runner_health=None)).total <= score(with_runner).total
    assert score(replace(found, metrics=None)).total <= score(found).total
    assert score(replace(found, months=())).total <= score(found).total
