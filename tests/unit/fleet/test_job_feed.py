"""Every moment in a job's life has an event and a word of its type."""

from itertools import product
from typing import get_args

import pytest

from fleet.closed_sets import ActivityEvent, JobType
from fleet.job_feed import Moment, event_of, label_of_type


def test_every_type_and_moment_has_an_event_of_its_own() -> None:
    events = {event_of(job_type, moment) for job_type, moment in product(JobType, get_args(Moment))}
    assert len(events) == len(JobType) * len(get_args(Moment))
    assert events == {event for event in ActivityEvent if event.value.split("_")[0] in set(JobType)}


@pytest.mark.parametrize("job_type", JobType)
def test_a_stored_type_reads_like_the_enum(job_type: JobType) -> None:
    assert event_of(job_type.value, "FAILED") is event_of(job_type, "FAILED")
    assert label_of_type(job_type.value) == label_of_type(job_type)


def test_an_improvement_is_never_called_a_backtest() -> None:
    assert {label_of_type(job_type) for job_type in JobType} == {"Backtest", "Improvement", "Evolution"}
