"""After a loss: every way a job can end, every reason, and what lets a bot start over."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from fleet.backoff import backoff
from fleet.closed_sets import BacktestKind, DueReason, JobStatus, JobType, NotEnqueued
from fleet.jobs import RETRYABLE, TERMINAL, JobReason, Retry
from fleet.planner.cadence import due
from fleet.planner.due import Due
from fleet.planner.losses import OF_DATA, jitter
from fleet.planner.types import BotSnapshot, PlannerCaps
from tests.factories.planner import NOW, ROOT, a_baseline, a_bot, graded, improved, lost, minutes

CAPS = PlannerCaps()
SECOND = timedelta(seconds=1)
EVER = timedelta(days=1)


def what(bot: BotSnapshot) -> DueReason | NotEnqueued:
    found = due(bot, CAPS, NOW)
    return found.reason if isinstance(found, Due) else found


@pytest.mark.parametrize(
    ("status", "reason", "attempt"), list(product(sorted(TERMINAL), [None, *JobReason], [1, 2, 3]))
)
def test_each_end_of_a_backtest_leads_to_a_retry_a_blocker_or_a_new_one(
    status: JobStatus, reason: JobReason | None, attempt: int
) -> None:
    found = what(a_bot(ended_backtest=lost(reason, status=status, attempt=attempt)))
    if status in {JobStatus.COMPLETED, JobStatus.CANCELED}:
        assert found is DueReason.NO_BASELINE
    elif reason in RETRYABLE:
        assert found is (DueReason.RETRY if attempt < 3 else NotEnqueued.RETRIES_EXHAUSTED)
    else:
        assert found is (NotEnqueued.DATA_UNAVAILABLE if reason in OF_DATA else NotEnqueued.RETRIES_EXHAUSTED)


@pytest.mark.parametrize("reason", [JobReason.STRATEGY_ERROR, JobReason.DATA_QUALITY_FAILED])
def test_no_reason_is_both_of_the_data_and_curable_by_another_attempt(reason: JobReason) -> None:
    assert not OF_DATA & RETRYABLE
    assert reason not in RETRYABLE


@pytest.mark.parametrize(
    ("reason", "attempt"),
    list(product([JobReason.STRATEGY_ERROR, JobReason.DATA_QUALITY_FAILED, JobReason.VALIDATION_FAILED], [1, 3])),
)
def test_a_permanent_failure_waits_for_other_bars_or_another_version(reason: JobReason, attempt: int) -> None:
    bot = a_bot(ended_backtest=lost(reason, attempt=attempt))
    assert isinstance(what(bot), NotEnqueued)
    assert what(replace(bot, bars_generation="bars-2")) is DueReason.NO_BASELINE
    assert what(replace(bot, version_id=UUID(int=78))) is DueReason.NO_BASELINE


@pytest.mark.parametrize("reason", [JobReason.HEARTBEAT_TIMEOUT, JobReason.PROVIDER_TIMEOUT])
def test_used_up_attempts_are_not_forgiven_for_other_bars(reason: JobReason) -> None:
    bot = a_bot(ended_backtest=lost(reason, attempt=3), bars_generation="bars-2")
    assert what(bot) is NotEnqueued.RETRIES_EXHAUSTED


@pytest.mark.parametrize(
    ("reason", "change"),
    list(
        product(
            [JobReason.STRATEGY_ERROR, JobReason.DATA_UNAVAILABLE, JobReason.RUN_FAILED],
            [{"epoch": 4}, {"version_id": UUID(int=78)}, {"lab_since": NOW - minutes(10) + SECOND}],
        )
    ),
)
def test_a_reset_a_new_version_and_a_return_to_lab_begin_anew(reason: JobReason, change: dict[str, Any]) -> None:
    bot = a_bot(ended_backtest=lost(reason, attempt=3))
    assert isinstance(what(bot), NotEnqueued)
    assert what(replace(bot, **change)) is DueReason.NO_BASELINE


def test_a_loss_at_the_moment_of_the_return_to_lab_still_counts() -> None:
    bot = a_bot(ended_backtest=lost(attempt=3), lab_since=NOW - minutes(10))
    assert what(bot) is NotEnqueued.RETRIES_EXHAUSTED


@pytest.mark.parametrize(("attempt", "number"), list(product([1, 2, 3, 4], [1, 999, 1000, 2000, 2001])))
def test_a_retry_is_due_after_its_backoff_and_keeps_root_type_and_kind(attempt: int, number: int) -> None:
    pause = backoff(attempt, jitter(UUID(int=number)))
    ended = lost(attempt=attempt, max_attempts=5, kind=BacktestKind.REFRESH, ended_at=NOW - pause)
    bot = graded(number, ended_backtest=ended)
    retry = Retry(ROOT, attempt + 1)
    assert due(bot, CAPS, NOW) == Due(JobType.BACKTEST, BacktestKind.REFRESH, DueReason.RETRY, NOW, retry)
    early = replace(bot, ended_backtest=replace(ended, ended_at=NOW - pause + timedelta(microseconds=1)))
    assert due(early, CAPS, NOW) is NotEnqueued.BACKOFF


def test_the_spread_of_the_backoff_is_a_bots_own_and_within_bounds() -> None:
    found = [jitter(UUID(int=number)) for number in range(5000)]
    assert min(found) == -1
    assert max(found) == 1
    assert found[:2001] == found[2001:4002]


def test_a_lost_refresh_goes_before_improving_and_its_blocker_stops_it() -> None:
    stale = graded(baseline=a_baseline(timedelta(hours=7)))
    for bot in (graded(), stale, improved(ago=EVER)):
        assert what(replace(bot, ended_backtest=lost())) is DueReason.RETRY
        assert what(replace(bot, ended_backtest=lost(attempt=3))) is NotEnqueued.RETRIES_EXHAUSTED


def an_improvement(reason: JobReason, **changes: Any) -> BotSnapshot:
    return improved(ago=EVER, ended_improvement=lost(reason, **{"job_type": JobType.EVOLVE, "kind": None} | changes))


def test_a_lost_improvement_is_tried_again_as_what_it_was() -> None:
    found = due(an_improvement(JobReason.JOB_TIMEOUT), CAPS, NOW)
    assert isinstance(found, Due)
    assert (found.job_type, found.kind, found.retry) == (JobType.EVOLVE, None, Retry(ROOT, 2))


@pytest.mark.parametrize(
    "bot", [an_improvement(JobReason.RUN_FAILED, attempt=3), an_improvement(JobReason.STRATEGY_ERROR)]
)
def test_a_blocked_improvement_holds_back_no_baseline_and_is_cleared_by_a_persons_run(bot: BotSnapshot) -> None:
    assert what(bot) is NotEnqueued.RETRIES_EXHAUSTED
    assert what(replace(bot, baseline=a_baseline(timedelta(hours=7)))) is DueReason.BASELINE_OLD
    assert what(replace(bot, baseline=None)) is DueReason.NO_BASELINE
    assert what(replace(bot, version_id=UUID(int=78))) is DueReason.IMPROVE_DUE
    for kind, ago, cleared in (
        (BacktestKind.MANUAL, minutes(9), True),
        (BacktestKind.MANUAL, minutes(11), False),
        (BacktestKind.REFRESH, minutes(9), False),
    ):
        run = lost(None, status=JobStatus.COMPLETED, kind=kind, ended_at=NOW - ago)
        found = what(replace(bot, ended_backtest=run))
        assert found is (DueReason.IMPROVE_DUE if cleared else NotEnqueued.RETRIES_EXHAUSTED)


def test_too_few_trades_come_before_a_lost_improvement() -> None:
    bot = replace(an_improvement(JobReason.RUN_FAILED), baseline=a_baseline(total_trades=1))
    assert what(bot) is NotEnqueued.TOO_FEW_TRADES
