"""What holds of every plan of every fleet."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fleet.caps import IMPROVING, Caps
from fleet.closed_sets import BacktestKind, DueReason, JobStatus, JobType, NotEnqueued, NotStarted, PromotionMode, Stage
from fleet.jobs import JobReason
from fleet.planner.cadence import due
from fleet.planner.due import Due
from fleet.planner.plan import IMPROVEMENTS_AHEAD, plan
from fleet.planner.result import FleetPlan
from fleet.planner.types import (
    ActiveWork,
    BarsState,
    BotSnapshot,
    EndedWork,
    FleetSnapshot,
    LastImprovement,
    PlannerCaps,
)
from tests.factories.planner import BARS, LAST_BAR, NOW, a_baseline, a_bot, lost

AGES = st.integers(min_value=-5, max_value=800).map(lambda count: timedelta(minutes=count))
GENERATIONS = st.sampled_from([BARS, "bars-2.anybody"])
ACTIVE = st.builds(
    ActiveWork,
    st.sampled_from(JobType),
    st.sampled_from([JobStatus.QUEUED, JobStatus.RUNNING]),
    AGES.map(lambda age: NOW - age),
    st.none() | AGES.map(lambda age: NOW + age - timedelta(minutes=400)),
)
BASELINES = st.builds(
    lambda age, trades, bars, days: a_baseline(
        age, total_trades=trades, bars_generation=bars, bars_last_at=LAST_BAR - timedelta(days=days)
    ),
    AGES,
    st.integers(0, 60),
    GENERATIONS,
    st.integers(0, 2),
)


def ended(job_types: list[JobType], kinds: list[BacktestKind | None]) -> st.SearchStrategy[EndedWork]:
    return st.builds(
        lambda reason, status, attempt, age, epoch, **rest: lost(
            reason, status=status, attempt=attempt, ended_at=NOW - age, epoch=epoch, **rest
        ),
        st.none() | st.sampled_from(JobReason),
        st.sampled_from([JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELED]),
        st.integers(1, 3),
        AGES,
        st.integers(2, 3),
        job_type=st.sampled_from(job_types),
        kind=st.sampled_from(kinds),
        bars_generation=GENERATIONS,
    )


@st.composite
def a_snapshot(draw: st.DrawFn) -> FleetSnapshot:
    """A fleet of any states, its bots in any order."""
    states: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
        {
            "symbol": st.sampled_from(["ES", "NQ", "CL"]),
            "stage": st.sampled_from([Stage.LAB] * 6 + list(Stage)),
            "archived": st.integers(0, 9).map(lambda number: number == 0),
            "asked_at": AGES.map(lambda age: NOW - age),
            "lab_since": AGES.map(lambda age: NOW - age),
            "stage_locked_until": st.none() | AGES.map(lambda age: NOW + age),
            "promotion_mode": st.sampled_from(PromotionMode),
            "bars": st.sampled_from(BarsState),
            "bars_sessions": st.integers(0, 60),
            "active": st.none() | ACTIVE,
            "baseline": st.none() | BASELINES,
            "ended_backtest": st.none() | ended([JobType.BACKTEST], list(BacktestKind)),
            "ended_improvement": st.none() | ended([JobType.IMPROVE, JobType.EVOLVE], [None]),
            "improvement": st.none() | st.builds(LastImprovement, AGES.map(lambda age: NOW - age), st.integers(0, 4)),
        }
    )
    ids = draw(st.lists(st.integers(1, 10_000), unique=True, max_size=25))
    bots = tuple(a_bot(number, **draw(states)) for number in ids)
    running = draw(st.dictionaries(st.sampled_from(JobType), st.integers(0, 4)))
    return FleetSnapshot(bots, running, draw(st.dictionaries(st.sampled_from(["ES", "NQ"]), st.integers(0, 4))))


CAPS = st.builds(
    PlannerCaps,
    st.builds(Caps, st.integers(0, 5), st.integers(0, 3), st.integers(0, 8), st.none() | st.integers(0, 4)),
)


@given(a_snapshot(), CAPS, st.data())
def test_the_same_fleet_has_the_same_plan_whatever_the_order_of_its_bots(
    fleet: FleetSnapshot, caps: PlannerCaps, data: st.DataObject
) -> None:
    first = plan(fleet, caps, NOW)
    shuffled = replace(fleet, bots=tuple(data.draw(st.permutations(fleet.bots))))
    again = plan(shuffled, caps, NOW)
    assert again == first
    assert list(again.not_enqueued.items()) == list(first.not_enqueued.items())
    assert list(again.not_started.items()) == list(first.not_started.items())


@given(a_snapshot(), CAPS)
def test_every_bot_has_one_job_or_one_reason_and_never_both(fleet: FleetSnapshot, caps: PlannerCaps) -> None:
    found = plan(fleet, caps, NOW)
    answers = Counter([job.bot_id for job in found.enqueue]) + Counter(found.not_enqueued.keys())
    assert answers == Counter(bot.id for bot in fleet.bots)


@given(a_snapshot(), CAPS)
def test_only_idle_bots_in_lab_whose_bars_can_be_had_get_a_job(fleet: FleetSnapshot, caps: PlannerCaps) -> None:
    bots = {bot.id: bot for bot in fleet.bots}
    for job in plan(fleet, caps, NOW).enqueue:
        bot = bots[job.bot_id]
        assert bot.active is None
        assert not bot.archived
        assert bot.stage is Stage.LAB
        assert bot.bars is not BarsState.UNAVAILABLE
        assert (job.kind is not None) is (job.job_type is JobType.BACKTEST)
        assert (job.retry is not None) is (job.reason is DueReason.RETRY)
        assert caps.improves or job.job_type is JobType.BACKTEST or job.retry is not None


@given(a_snapshot(), CAPS)
def test_a_bot_without_a_baseline_gets_one_or_says_what_is_wrong(fleet: FleetSnapshot, caps: PlannerCaps) -> None:
    found = plan(fleet, caps, NOW)
    jobs = {job.bot_id: job for job in found.enqueue}
    for bot in fleet.bots:
        if bot.baseline is None and bot.id in jobs:
            assert jobs[bot.id].job_type is JobType.BACKTEST
        elif bot.baseline is None:
            assert found.not_enqueued[bot.id] not in {
                NotEnqueued.BASELINE_FRESH,
                NotEnqueued.TOO_FEW_TRADES,
                NotEnqueued.NOT_ENOUGH_HISTORY,
                NotEnqueued.CADENCE_NOT_DUE,
            }


@given(a_snapshot(), CAPS)
def test_locks_and_promotion_modes_change_nothing(fleet: FleetSnapshot, caps: PlannerCaps) -> None:
    freed = tuple(replace(bot, stage_locked_until=None, promotion_mode=PromotionMode.AUTO) for bot in fleet.bots)
    assert plan(replace(fleet, bots=freed), caps, NOW) == plan(fleet, caps, NOW)


@given(a_snapshot(), CAPS)
def test_of_every_symbol_as_many_come_first_as_of_any_other_until_it_has_no_more(
    fleet: FleetSnapshot, caps: PlannerCaps
) -> None:
    symbol_of = {bot.id: bot.symbol for bot in fleet.bots}
    order = [symbol_of[job.bot_id] for job in plan(fleet, caps, NOW).enqueue]
    total, seen = Counter(order), Counter[str]()
    for symbol in order:
        assert all(seen[symbol] <= seen[other] or seen[other] == total[other] for other in total)
        seen[symbol] += 1


@given(a_snapshot(), CAPS)
def test_jobs_that_may_start_fit_under_the_caps_and_the_rest_name_a_cap_that_is_full(
    fleet: FleetSnapshot, caps: PlannerCaps
) -> None:
    found = plan(fleet, caps, NOW)
    types, symbols = Counter(fleet.running_by_type), Counter(fleet.running_by_symbol)
    for job_type, bot in _waiting(fleet, found):
        if bot.id not in found.not_started:
            types[job_type] += 1
            symbols[bot.symbol] += 1
            assert types.total() <= caps.running.max_total_jobs
            assert _alike(types, job_type) <= _cap(caps, job_type)
            assert caps.running.per_symbol is None or symbols[bot.symbol] <= caps.running.per_symbol
    for job_type, bot in _waiting(fleet, found):
        reason = found.not_started.get(bot.id)
        assert (reason is NotStarted.BARS_PENDING) is (bot.bars is BarsState.PENDING)
        if reason is NotStarted.CAP_REACHED_GLOBAL:
            assert types.total() >= caps.running.max_total_jobs
        elif reason is NotStarted.CAP_REACHED_TYPE:
            assert _alike(types, job_type) >= _cap(caps, job_type)
        elif reason is NotStarted.CAP_REACHED_SYMBOL:
            assert caps.running.per_symbol is not None
            assert symbols[bot.symbol] >= caps.running.per_symbol


@given(a_snapshot(), CAPS)
def test_the_summary_counts_what_the_plan_says(fleet: FleetSnapshot, caps: PlannerCaps) -> None:
    found = plan(fleet, caps, NOW)
    counts = found.summary
    assert counts.bots_evaluated == len(fleet.bots) == counts.jobs_enqueued + sum(counts.not_enqueued_reasons.values())
    assert counts.jobs_enqueued == len(found.enqueue) == sum(counts.jobs_enqueued_by_type.values())
    assert counts.jobs_enqueued + len(_later(fleet, caps, found)) == counts.eligible_candidates_count
    assert sum(counts.not_started_reasons.values()) == len(found.not_started)
    assert set(counts.jobs_enqueued_by_type) == set(counts.currently_running_jobs_by_type) == set(JobType)
    assert set(counts.not_enqueued_reasons) == set(NotEnqueued)
    assert set(counts.not_started_reasons) == set(NotStarted)


@given(a_snapshot(), CAPS)
def test_what_is_due_waits_for_its_turn_only_as_an_improvement_behind_as_many_as_run_soon(
    fleet: FleetSnapshot, caps: PlannerCaps
) -> None:
    found = plan(fleet, caps, NOW)
    later = _later(fleet, caps, found)
    assert all(found.not_enqueued[bot.id] is NotEnqueued.CADENCE_NOT_DUE for bot in later)
    assert all(job.job_type in IMPROVING and job.retry is None for bot in later if (job := _due(bot, caps)))
    if later:
        ahead = [bot.active.job_type for bot in fleet.bots if bot.active is not None and not bot.archived]
        ahead += [job.job_type for job in found.enqueue if job.retry is None]
        assert sum(kind in IMPROVING for kind in ahead) >= IMPROVEMENTS_AHEAD * caps.running.max_improve_running


def _later(fleet: FleetSnapshot, caps: PlannerCaps, found: FleetPlan) -> list[BotSnapshot]:
    """Return the bots that are due for a job and neither get it now nor are promoted."""
    answered = {job.bot_id for job in found.enqueue} | set(found.promote)
    return [bot for bot in fleet.bots if bot.id not in answered and _due(bot, caps)]


def _due(bot: BotSnapshot, caps: PlannerCaps) -> Due | None:
    job = due(bot, caps, NOW)
    return job if isinstance(job, Due) else None


def _waiting(fleet: FleetSnapshot, found: FleetPlan) -> list[tuple[JobType, BotSnapshot]]:
    """Return every job that is QUEUED and due after the plan, in no order that matters."""
    planned = {job.bot_id: job.job_type for job in found.enqueue}
    jobs = [(planned[bot.id], bot) for bot in fleet.bots if bot.id in planned]
    for bot in fleet.bots:
        work = bot.active
        if work is None or bot.archived or work.status is not JobStatus.QUEUED:
            continue
        if work.not_before is None or work.not_before <= NOW:
            jobs.append((work.job_type, bot))
    return jobs


def _alike(types: Counter[JobType], job_type: JobType) -> int:
    return sum(types[kind] for kind in JobType if (kind in IMPROVING) is (job_type in IMPROVING))


def _cap(caps: PlannerCaps, job_type: JobType) -> int:
    return caps.running.max_improve_running if job_type in IMPROVING else caps.running.max_backtests_running
