"""The pure decisions of sensors and of in-process materialization."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from assets.ranges import ranges
from orchestration.sensors.bot_partitions import key_changes
from orchestration.sensors.queued_jobs import LONGEST_PAUSE, MOST_AT_ONCE, Tries, due
from services.jobs import QueuedJob

NOW = datetime(2024, 1, 31, 12, tzinfo=UTC)


def queued(job_id: UUID | None = None) -> QueuedJob:
    return QueuedJob(job_id or uuid4(), uuid4(), 1, "a" * 32, NOW)


def test_a_queued_job_without_a_run_is_due() -> None:
    job = queued()
    assert due([job], {}, NOW) == (job,)


def test_a_job_with_a_live_run_is_not_started_again() -> None:
    job = queued()
    assert due([job], {job.job_id: Tries(live=True)}, NOW) == ()


def test_a_job_whose_run_ended_without_taking_it_waits_ever_longer() -> None:
    job = queued()

    def is_due(ended: int, ago: timedelta) -> bool:
        return due([job], {job.job_id: Tries(False, ended, NOW - ago)}, NOW) == (job,)

    assert not is_due(1, timedelta(seconds=9))
    assert is_due(1, timedelta(seconds=10))
    assert not is_due(3, timedelta(seconds=39))
    assert is_due(3, timedelta(seconds=40))
    assert is_due(50, LONGEST_PAUSE)


def test_a_tick_starts_no_more_than_its_share_and_the_oldest_first() -> None:
    jobs = [queued() for _ in range(MOST_AT_ONCE + 5)]
    assert due(jobs, {}, NOW) == tuple(jobs[:MOST_AT_ONCE])


def test_partitions_follow_the_bots_in_order_of_creation() -> None:
    changes = key_changes(("a", "gone", "b"), ("a", "b", "c", "d"))
    assert changes.added == ("c", "d")
    assert changes.removed == ("gone",)


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 7))
def test_ranges_cover_the_wanted_keys_and_no_others(flags: list[bool], at_most: int) -> None:
    every = [f"k{index}" for index in range(len(flags))]
    wanted = [key for key, flag in zip(every, flags, strict=True) if flag]
    found = ranges(every, wanted, at_most=at_most)
    assert [key for part in found for key in part.keys] == wanted
    for part in found:
        begin, end = every.index(part.first), every.index(part.last)
        assert every[begin : end + 1] == list(part.keys)
        assert len(part.keys) <= at_most
