"""How many workers should live, and when one is gone."""

import pytest

from core.ids import new_id
from fleet.workers import LONGEST_PAUSE_S, NEVER_STARTED_S, OVER, SILENT_S, RunState, Worker, ended, pause_after, wanted


def a_worker(*, silent_s: float = 0.0, began: bool = True, run: RunState | None = RunState.RUNNING) -> Worker:
    return Worker(new_id(), silent_s, began, run)


@pytest.mark.parametrize("run", list(RunState))
def test_a_worker_whose_run_is_over_is_gone_and_no_other(run: RunState) -> None:
    assert ended(a_worker(run=run)) == (f"RUN_{run}" if run in OVER else None)


def test_a_worker_that_never_began_is_given_two_minutes() -> None:
    assert ended(a_worker(began=False, run=None, silent_s=NEVER_STARTED_S)) is None
    assert ended(a_worker(began=False, run=None, silent_s=NEVER_STARTED_S + 1)) == "NEVER_STARTED"
    assert ended(a_worker(began=False, run=RunState.WAITING, silent_s=NEVER_STARTED_S + 1)) == "NEVER_STARTED"


def test_a_worker_that_fell_silent_is_gone_whatever_its_run_says() -> None:
    assert ended(a_worker(silent_s=SILENT_S)) is None
    assert ended(a_worker(silent_s=SILENT_S + 1)) == "SILENT"


@pytest.mark.parametrize(
    ("due", "free", "most", "workers"),
    [(0, 9, 2, 0), (1, 9, 2, 1), (32, 99, 2, 1), (33, 99, 2, 2), (999, 3, 2, 1), (999, 999, 2, 2), (5, 0, 2, 0)],
)
def test_as_many_workers_as_chunks_that_may_run_and_no_more_than_the_most(
    due: int, free: int, most: int, workers: int
) -> None:
    assert wanted(due=due, free=free, chunk=32, most=most) == workers


def test_a_worker_that_came_to_nothing_is_replaced_at_once_and_the_next_ones_ever_later() -> None:
    assert [pause_after(failures) for failures in range(6)] == [0, 0, 5, 10, 20, 40]
    assert pause_after(99) == LONGEST_PAUSE_S
