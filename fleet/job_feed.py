"""What the activity feed says of jobs, by their type: the event, and the word a sentence about them begins with."""

from typing import Final, Literal

from fleet.closed_sets import ActivityEvent, JobType

Moment = Literal["QUEUED", "STARTED", "COMPLETED", "FAILED", "CANCELED"]
_WORDS: Final = {JobType.BACKTEST: "Backtest", JobType.IMPROVE: "Improvement", JobType.EVOLVE: "Evolution"}


def event_of(job_type: JobType | str, moment: Moment) -> ActivityEvent:
    """Return the event for this moment in the life of a job of that type."""
    return ActivityEvent(f"{JobType(job_type)}_{moment}")


def label_of_type(job_type: JobType | str) -> str:
    """Return what a job of that type is called: "Backtest", "Improvement" or "Evolution"."""
    return _WORDS[JobType(job_type)]
