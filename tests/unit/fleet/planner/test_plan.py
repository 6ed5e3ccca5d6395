"""The plan of a tick: its fair order, the jobs that can't start, and the counts that prove it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, DueReason, JobStatus, JobType, NotEnqueued, NotStarted, Stage
from fleet.jobs import Retry
from fleet.planner.plan import plan
from fleet.planner.result import FleetPlan, PlannedJob
from fleet.planner.types import ActiveWork, BarsState, BotSnapshot, FleetSnapshot, PlannerCaps
from tests.factories.planner import LAB_SINCE, NOW, ROOT, a_baseline, a_bot, graded, improved, lost, minutes, queued

CAPS = PlannerCaps()


def planned(
    *bots: BotSnapshot,
    caps: PlannerCaps = CAPS,
    running: dict[str, int] | None = None,
    by_symbol: dict[str, int] | None = None,
) -> FleetPlan:
    by_type = {JobType(kind): count for kind, count in (running or {}).items()}
    return plan(FleetSnapshot(bots, by_type, by_symbol or {}), caps, NOW)


def numbers(result: FleetPlan) -> list[int]:
    return [job.bot_id.int for job in result.enqueue]


def waiting(number: int, symbol: str, minutes_ago: float) -> BotSnapshot:
    return a_bot(number, symbol=symbol, asked_at=NOW - minutes(minutes_ago))


def test_an_empty_fleet_has_an_empty_plan_with_every_count_at_zero() -> None:
    found = planned()
    assert (found.enqueue, dict(found.not_enqueued), dict(found.not_started)) == ((), {}, {})
    assert found.summary.as_json() == {
        "bots_evaluated": 0,
        "eligible_candidates_count": 0,
        "jobs_enqueued": 0,
        "jobs_enqueued_by_type": {"BACKTEST": 0, "IMPROVE": 0, "EVOLVE": 0},
        "currently_running_jobs_by_type": {"BACKTEST": 0, "IMPROVE": 0, "EVOLVE": 0},
        "concurrency_caps": {
            "maxBacktestsRunning": 3,
            "maxImproveRunning": 2,
            "maxTotalJobs": 6,
            "perBot": 1,
            "perSymbol": None,
        },
        "not_enqueued_reasons": dict.fromkeys((code.value for code in NotEnqueued), 0),
        "not_started_reasons": dict.fromkeys((code.value for code in NotStarted), 0),
    }


def test_a_mixed_fleet_is_planned_and_counted_bot_by_bot() -> None:
    found = planned(
        a_bot(1),
        graded(2, baseline=a_baseline(timedelta(hours=8))),
        graded(3),
        improved(4, ago=minutes(90), rounds=3),
        a_bot(5, ended_backtest=lost()),
        improved(6),
        a_bot(7, archived=True),
        a_bot(8, stage=Stage.PAPER),
        a_bot(9, active=queued(not_before=NOW + minutes(1))),
        running={"BACKTEST": 1},
    )
    assert sorted(found.enqueue, key=lambda job: job.bot_id) == [
        PlannedJob(a_bot(1).id, JobType.BACKTEST, BacktestKind.BASELINE, DueReason.NO_BASELINE),
        PlannedJob(a_bot(2).id, JobType.BACKTEST, BacktestKind.REFRESH, DueReason.BASELINE_OLD),
        PlannedJob(a_bot(3).id, JobType.IMPROVE, None, DueReason.IMPROVE_DUE),
        PlannedJob(a_bot(4).id, JobType.EVOLVE, None, DueReason.EVOLVE_DUE),
        PlannedJob(a_bot(5).id, JobType.BACKTEST, BacktestKind.BASELINE, DueReason.RETRY, Retry(ROOT, 2)),
    ]
    assert {bot_id.int: reason for bot_id, reason in found.not_enqueued.items()} == {
        6: NotEnqueued.CADENCE_NOT_DUE,
        7: NotEnqueued.ARCHIVED,
        8: NotEnqueued.NOT_IN_LAB,
        9: NotEnqueued.BACKOFF,
    }
    counts = found.summary
    assert (counts.bots_evaluated, counts.eligible_candidates_count, counts.jobs_enqueued) == (9, 5, 5)
    assert counts.jobs_enqueued_by_type == {JobType.BACKTEST: 3, JobType.IMPROVE: 1, JobType.EVOLVE: 1}
    assert counts.currently_running_jobs_by_type == {JobType.BACKTEST: 1, JobType.IMPROVE: 0, JobType.EVOLVE: 0}
    assert {code for code, count in counts.not_enqueued_reasons.items() if count} == set(found.not_enqueued.values())
    assert json.loads(json.dumps(counts.as_json())) == counts.as_json()


def test_of_one_symbol_the_bot_that_has_waited_longest_comes_first_and_its_id_settles_a_tie() -> None:
    found = planned(waiting(1, "ES", 10), waiting(2, "ES", 30), waiting(4, "ES", 20), waiting(3, "ES", 20))
    assert numbers(found) == [2, 3, 4, 1]


def test_symbols_take_turns_so_that_none_waits_behind_all_bots_of_another() -> None:
    crowd = [waiting(number, "ES", 1000 - number) for number in range(1, 101)]
    late = [waiting(201, "NQ", 5), waiting(202, "NQ", 4), waiting(301, "CL", 6)]
    assert numbers(planned(*crowd, *late))[:7] == [1, 301, 201, 2, 202, 3, 4]


def test_every_kind_of_work_waits_in_the_same_order() -> None:
    refresh = graded(1, baseline=a_baseline(timedelta(hours=6, minutes=20)))
    improve = improved(2, ago=minutes(90))
    retry = graded(3, ended_backtest=lost(ended_at=NOW - minutes(25)))
    assert numbers(planned(refresh, improve, retry, waiting(4, "ES", 22))) == [2, 3, 4, 1]


def test_improvements_beyond_four_for_each_that_may_run_wait_their_turn_and_archived_bots_take_no_place() -> None:
    caps = PlannerCaps(Caps(3, 1, 8, None))
    at_work = [improved(number, active=queued(JobType.IMPROVE)) for number in (1, 2)]
    gone = [improved(number, active=queued(JobType.EVOLVE), archived=True) for number in (3, 4)]
    due = [improved(number, ago=minutes(60 + number)) for number in (5, 6, 7)]
    found = planned(*at_work, *gone, *due, caps=caps)
    assert numbers(found) == [7, 6]
    assert found.not_enqueued[due[0].id] is NotEnqueued.CADENCE_NOT_DUE
    assert found.summary.eligible_candidates_count == 3


def test_a_whole_fleet_after_a_reset_is_enqueued_at_once_and_says_what_holds_it() -> None:
    found = planned(*(a_bot(number) for number in range(1, 21)))
    assert len(found.enqueue) == 20
    assert numbers(found)[:3] == [1, 2, 3]
    assert {bot_id.int for bot_id in found.not_started} == set(range(4, 21)), "the first three find a place"
    assert found.summary.not_started_reasons[NotStarted.CAP_REACHED_TYPE] == 17
    assert not found.not_enqueued


def test_a_locked_fleet_is_enqueued_all_the_same() -> None:
    locked = [a_bot(number, stage_locked_until=NOW + timedelta(hours=24)) for number in range(1, 21)]
    assert len(planned(*locked).enqueue) == 20


@pytest.mark.parametrize(
    ("caps", "running", "by_symbol", "expected"),
    [
        (Caps(3, 2, 6), {"BACKTEST": 2}, {"ES": 2}, None),
        (Caps(3, 2, 6), {"BACKTEST": 3}, {"ES": 3}, NotStarted.CAP_REACHED_TYPE),
        (Caps(3, 2, 4), {"BACKTEST": 3, "IMPROVE": 1}, {"ES": 4}, NotStarted.CAP_REACHED_GLOBAL),
        (Caps(9, 2, 4), {"BACKTEST": 2, "EVOLVE": 2}, {"NQ": 4}, NotStarted.CAP_REACHED_GLOBAL),
        (Caps(9, 2, 9), {"BACKTEST": 4}, {"ES": 4}, NotStarted.CAP_REACHED_SYMBOL),
        (Caps(9, 2, 9), {"BACKTEST": 4}, {"ES": 3, "NQ": 1}, None),
        (Caps(0, 2, 9), {}, {}, NotStarted.CAP_REACHED_TYPE),
        (Caps(3, 2, 0), {}, {}, NotStarted.CAP_REACHED_GLOBAL),
    ],
)
@pytest.mark.parametrize("bot", [a_bot(), a_bot(active=queued()), graded(stage=Stage.PAPER, active=queued())])
def test_a_job_that_waits_names_the_widest_cap_that_holds_it(
    bot: BotSnapshot, caps: Caps, running: dict[str, int], by_symbol: dict[str, int], expected: NotStarted | None
) -> None:
    found = planned(bot, caps=PlannerCaps(replace(caps, per_symbol=4)), running=running, by_symbol=by_symbol)
    assert found.not_started.get(bot.id) is expected


def test_improve_and_evolve_share_their_cap() -> None:
    bots = [graded(1), improved(2, ago=minutes(90), rounds=3), graded(3)]
    found = planned(*bots, running={"EVOLVE": 1})
    assert list(found.not_started.values()) == [NotStarted.CAP_REACHED_TYPE] * 2
    assert len(found.enqueue) == 3


@pytest.mark.parametrize("bot", [a_bot(bars=BarsState.PENDING), a_bot(bars=BarsState.PENDING, active=queued())])
def test_bars_on_their_way_come_before_any_cap_and_take_no_place(bot: BotSnapshot) -> None:
    for caps in (CAPS, PlannerCaps(Caps(0, 0, 0))):
        assert planned(bot, caps=caps).not_started == {bot.id: NotStarted.BARS_PENDING}
    second = a_bot(2)
    found = planned(bot, second, caps=PlannerCaps(Caps(1, 0, 1)))
    assert second.id not in found.not_started


@pytest.mark.parametrize(
    "bot",
    [
        a_bot(active=ActiveWork(JobType.BACKTEST, JobStatus.RUNNING, NOW)),
        a_bot(active=queued(not_before=NOW + timedelta(seconds=1))),
        a_bot(active=queued(), archived=True),
        improved(),
    ],
)
def test_what_runs_backs_off_or_is_archived_waits_for_no_place(bot: BotSnapshot) -> None:
    assert not planned(bot, caps=PlannerCaps(Caps(0, 0, 0))).not_started


def test_jobs_that_queue_already_take_the_free_places_first_the_oldest_before_all() -> None:
    caps = PlannerCaps(Caps(2, 1, 2))
    younger, older = a_bot(1, active=queued(ago=minutes(5))), a_bot(2, active=queued(ago=minutes(9)))
    retry = a_bot(3, active=queued(ago=minutes(7), not_before=NOW))
    newcomer = a_bot(4, asked_at=LAB_SINCE)
    found = planned(younger, older, retry, newcomer, caps=caps)
    assert {bot_id.int for bot_id in found.not_started} == {1, 4}
    assert numbers(found) == [4]


def test_a_place_that_a_job_takes_is_taken_for_its_symbol_too() -> None:
    bots = [waiting(1, "ES", 9), waiting(2, "ES", 8), waiting(3, "NQ", 7)]
    found = planned(*bots, caps=PlannerCaps(Caps(9, 2, 9, per_symbol=1)))
    assert {bot_id.int: reason for bot_id, reason in found.not_started.items()} == {2: NotStarted.CAP_REACHED_SYMBOL}
