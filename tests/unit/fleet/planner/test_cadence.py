"""What one bot is due for: every state it can be in, and what each boundary changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, DueReason, JobType, NotEnqueued, PromotionMode, Stage
from fleet.jobs import JobReason
from fleet.planner.cadence import due
from fleet.planner.due import Due
from fleet.planner.types import ActiveWork, BarsState, BotSnapshot, PlannerCaps
from tests.factories.planner import (
    BARS,
    LAB_SINCE,
    LAST_BAR,
    NOW,
    a_baseline,
    a_bot,
    graded,
    improved,
    lost,
    minutes,
    queued,
    running,
)
from trading.globex import trading_day
from trading.improve.limits import Budget

CAPS = PlannerCaps()
SIX_HOURS = timedelta(hours=6)
SECOND = timedelta(seconds=1)


def what(bot: BotSnapshot, caps: PlannerCaps = CAPS) -> DueReason | NotEnqueued:
    found = due(bot, caps, NOW)
    return found.reason if isinstance(found, Due) else found


@pytest.mark.parametrize(
    ("bot", "expected"),
    [
        (a_bot(), Due(JobType.BACKTEST, BacktestKind.BASELINE, DueReason.NO_BASELINE, LAB_SINCE)),
        (
            a_bot(baseline=a_baseline(SIX_HOURS)),
            Due(JobType.BACKTEST, BacktestKind.REFRESH, DueReason.BASELINE_OLD, NOW),
        ),
        (graded(), Due(JobType.IMPROVE, None, DueReason.IMPROVE_DUE, NOW - minutes(30))),
        (improved(ago=minutes(75)), Due(JobType.IMPROVE, None, DueReason.IMPROVE_DUE, NOW - minutes(15))),
        (improved(ago=minutes(75), rounds=3), Due(JobType.EVOLVE, None, DueReason.EVOLVE_DUE, NOW - minutes(15))),
    ],
)
def test_each_job_of_the_lab_contract_says_why_and_since_when_it_is_due(bot: BotSnapshot, expected: Due) -> None:
    assert due(bot, CAPS, NOW) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (SIX_HOURS - SECOND, DueReason.IMPROVE_DUE),
        (SIX_HOURS, DueReason.BASELINE_OLD),
        (timedelta(hours=30), DueReason.BASELINE_OLD),
        (-minutes(1), DueReason.IMPROVE_DUE),  # the database's clock is ahead
    ],
)
def test_a_baseline_is_refreshed_from_its_greatest_age_on(age: timedelta, expected: DueReason) -> None:
    assert what(graded(baseline=a_baseline(age))) is expected


@pytest.mark.parametrize(
    ("before", "since", "expected"),
    [
        (LAST_BAR, "bars-2.anybody", DueReason.NEW_BARS),  # bars were corrected, the session is the same
        (LAST_BAR, "bars-1.another", DueReason.IMPROVE_DUE),  # a key was set, the bars are the same
        (datetime(2024, 1, 9, 23, 0, tzinfo=UTC), "bars-2.anybody", DueReason.NEW_BARS),  # 17:00 the evening before
        (datetime(2024, 1, 9, 22, 59, tzinfo=UTC), "bars-2.anybody", DueReason.NEW_SESSION),
        (datetime(2023, 12, 29, 20, 0, tzinfo=UTC), "bars-2.anybody", DueReason.NEW_SESSION),
        (datetime(2023, 12, 29, 20, 0, tzinfo=UTC), BARS, DueReason.IMPROVE_DUE),  # made on these very bars
        (datetime(2024, 1, 19, 20, 0, tzinfo=UTC), "bars-2.anybody", DueReason.NEW_BARS),  # the newest ones are gone
    ],
)
def test_new_bars_ask_for_a_refresh_at_once_and_once(before: datetime, since: str, expected: DueReason) -> None:
    bot = graded(baseline=a_baseline(bars_last_at=before), bars_generation=since)
    assert what(bot) is expected
    refreshed = replace(bot, baseline=a_baseline(bars_generation=since))
    assert what(refreshed) is DueReason.IMPROVE_DUE


def test_a_baseline_of_an_earlier_gantry_says_nothing_of_its_bars_and_grows_old_as_ever() -> None:
    bot = graded(baseline=a_baseline(bars_generation="0123456789abcdef"), bars_last_at=None)
    assert what(bot) is DueReason.IMPROVE_DUE
    assert what(replace(bot, baseline=a_baseline(SIX_HOURS, bars_generation=""))) is DueReason.BASELINE_OLD


def test_new_bars_wait_no_longer_than_a_baseline_that_is_old_as_well() -> None:
    for age, since in ((minutes(30), NOW), (timedelta(hours=7), NOW - timedelta(hours=1))):
        bot = graded(baseline=a_baseline(age), bars_generation="bars-2.anybody")
        assert due(bot, CAPS, NOW) == Due(JobType.BACKTEST, BacktestKind.REFRESH, DueReason.NEW_BARS, since)


def test_a_new_session_waits_since_its_bars_and_never_longer_than_its_baseline_is_old() -> None:
    old = datetime(2024, 1, 5, 12, 0, tzinfo=UTC)
    for age, since in ((minutes(30), NOW - minutes(1)), (timedelta(hours=7), NOW - timedelta(hours=1))):
        bot = graded(baseline=a_baseline(age, bars_last_at=old), bars_generation="bars-2.anybody")
        found = due(bot, CAPS, NOW)
        assert found == Due(JobType.BACKTEST, BacktestKind.REFRESH, DueReason.NEW_SESSION, since)


@pytest.mark.parametrize(
    ("completed", "expected"),
    [(-SECOND, DueReason.NO_BASELINE), (timedelta(0), DueReason.IMPROVE_DUE), (SECOND, DueReason.IMPROVE_DUE)],
)
def test_a_baseline_counts_since_the_return_to_lab_inclusive(completed: timedelta, expected: DueReason) -> None:
    back = NOW - minutes(30)
    bot = graded(baseline=a_baseline(minutes(30) - completed), lab_since=back, asked_at=back)
    assert what(bot) is expected


@pytest.mark.parametrize("trades", [0, 29, 30, 31])
def test_a_bot_is_improved_from_thirty_trades_on(trades: int) -> None:
    bot = graded(baseline=a_baseline(total_trades=trades))
    assert what(bot) is (DueReason.IMPROVE_DUE if trades >= 30 else NotEnqueued.TOO_FEW_TRADES)
    assert what(bot, PlannerCaps(min_trades_for_improve=trades)) is DueReason.IMPROVE_DUE


@pytest.mark.parametrize("sessions", [0, 29, 30, 31])
@pytest.mark.parametrize("rounds", [0, 3])
def test_a_bot_is_improved_and_evolved_from_as_many_sessions_on_as_its_folds_need(sessions: int, rounds: int) -> None:
    bot = improved(ago=minutes(60), rounds=rounds, bars_sessions=sessions)
    on_time = DueReason.EVOLVE_DUE if rounds else DueReason.IMPROVE_DUE
    assert what(bot) is (on_time if sessions >= 30 else NotEnqueued.NOT_ENOUGH_HISTORY)
    assert what(bot, PlannerCaps(improve=Budget(folds=2))) is (
        on_time if sessions >= 29 else NotEnqueued.NOT_ENOUGH_HISTORY
    )


def test_too_little_history_comes_before_a_lost_improvement_and_after_too_few_trades() -> None:
    short = graded(bars_sessions=5, ended_improvement=lost(JobReason.DATA_UNAVAILABLE, job_type=JobType.IMPROVE))
    assert what(short) is NotEnqueued.NOT_ENOUGH_HISTORY
    assert what(replace(short, baseline=a_baseline(total_trades=3))) is NotEnqueued.TOO_FEW_TRADES
    assert what(a_bot(bars_sessions=5)) is DueReason.NO_BASELINE


@pytest.mark.parametrize(
    ("ago", "rounds"), list(product([minutes(0), minutes(59), minutes(60), minutes(600)], range(6)))
)
def test_improvements_come_an_hour_apart_and_the_fourth_without_adoption_is_an_evolve(
    ago: timedelta, rounds: int
) -> None:
    on_time = DueReason.EVOLVE_DUE if rounds >= 3 else DueReason.IMPROVE_DUE
    assert what(improved(ago=ago, rounds=rounds)) is (on_time if ago >= minutes(60) else NotEnqueued.CADENCE_NOT_DUE)


@pytest.mark.parametrize("running_caps", [Caps(max_improve_running=0), Caps(max_total_jobs=0)])
def test_without_room_for_improvements_a_fresh_baseline_is_all_there_is(running_caps: Caps) -> None:
    caps = PlannerCaps(running_caps)
    assert what(improved(ago=minutes(600)), caps) is NotEnqueued.BASELINE_FRESH
    assert what(graded(), caps) is NotEnqueued.BASELINE_FRESH
    assert what(a_bot(), caps) is DueReason.NO_BASELINE
    assert what(graded(baseline=a_baseline(SIX_HOURS)), caps) is DueReason.BASELINE_OLD


WAITING = queued(not_before=NOW + SECOND)
READY = queued(not_before=NOW)


@pytest.mark.parametrize(
    ("bot", "stage", "archived", "active"),
    list(
        product(
            [a_bot(), graded(), improved(), a_bot(ended_backtest=lost())],
            Stage,
            [False, True],
            [None, queued(), READY, WAITING, running(), running(JobType.EVOLVE)],
        )
    ),
)
def test_archived_goes_before_stage_before_active_job_before_all_else(
    bot: BotSnapshot, stage: Stage, archived: bool, active: ActiveWork | None
) -> None:
    found = what(replace(bot, stage=stage, archived=archived, active=active))
    if archived:
        assert found is NotEnqueued.ARCHIVED
    elif stage is not Stage.LAB:
        assert found is NotEnqueued.NOT_IN_LAB
    elif active is WAITING:
        assert found is NotEnqueued.BACKOFF
    elif active is not None:
        assert found is NotEnqueued.ACTIVE_JOB_EXISTS
    else:
        assert found is what(bot)


@pytest.mark.parametrize(
    ("bot", "mode", "hours"),
    list(
        product(
            [a_bot(), graded(), improved(), graded(baseline=a_baseline(SIX_HOURS)), a_bot(ended_backtest=lost())],
            PromotionMode,
            [None, -1, 0, 1, 24],
        )
    ),
)
def test_neither_a_stage_lock_nor_manual_promotion_changes_what_is_due(
    bot: BotSnapshot, mode: PromotionMode, hours: int | None
) -> None:
    until = None if hours is None else NOW + timedelta(hours=hours)
    assert due(replace(bot, promotion_mode=mode, stage_locked_until=until), CAPS, NOW) == due(bot, CAPS, NOW)


@pytest.mark.parametrize(
    "bot",
    [
        a_bot(),
        graded(),
        improved(ago=minutes(75)),
        graded(baseline=a_baseline(SIX_HOURS)),
        a_bot(ended_backtest=lost()),
    ],
)
def test_what_is_due_is_queued_while_bars_are_on_their_way_and_not_when_nobody_has_them(bot: BotSnapshot) -> None:
    assert due(replace(bot, bars=BarsState.PENDING), CAPS, NOW) == due(bot, CAPS, NOW)
    assert what(replace(bot, bars=BarsState.UNAVAILABLE)) is NotEnqueued.DATA_UNAVAILABLE


def test_a_bot_that_is_due_for_nothing_says_so_whatever_its_bars() -> None:
    for state in BarsState:
        assert what(improved(bars=state)) is NotEnqueued.CADENCE_NOT_DUE


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2024, 1, 9, 22, 59, tzinfo=UTC), 9),
        (datetime(2024, 1, 9, 23, 0, tzinfo=UTC), 10),
        (datetime(2024, 1, 14, 23, 0, tzinfo=UTC), 15),  # Sunday evening is Monday's session
        (datetime(2024, 7, 9, 21, 59, tzinfo=UTC), 9),  # summer time
        (datetime(2024, 7, 9, 22, 0, tzinfo=UTC), 10),
    ],
)
def test_a_trading_day_begins_at_five_in_the_afternoon_in_chicago(at: datetime, day: int) -> None:
    assert trading_day(at).day == day


def test_a_bot_without_a_version_of_its_loss_is_graded_afresh() -> None:
    assert what(a_bot(ended_backtest=lost(version_id=UUID(int=78)))) is DueReason.NO_BASELINE
