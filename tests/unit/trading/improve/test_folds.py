"""Walk-forward folds."""

from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from tests.factories.walks import DAY_NS, MONDAY_NS, walk
from tests.factories.windows import window_of
from trading.bars.series import Roll
from trading.improve.folds import MIN_IN_SESSIONS, are_enough, sessions_of, until_session, walk_forward


@pytest.mark.parametrize(("sessions", "folds", "purge"), [(40, 1, 0), (63, 5, 1), (250, 7, 5), (1000, 50, 2)])
def test_a_fold_chooses_before_a_gap_and_looks_behind_it(sessions: int, folds: int, purge: int) -> None:
    found = walk_forward(sessions, folds=folds, purge_sessions=purge)
    assert len(found) == folds
    assert all(fold.out_start - fold.in_end == purge for fold in found)
    assert all(left.out_end == right.out_start for left, right in pairwise(found))
    assert len({fold.out_end - fold.out_start for fold in found}) == 1
    assert found[-1].out_end == sessions
    assert found[0].in_end >= MIN_IN_SESSIONS


@pytest.mark.parametrize(("sessions", "folds", "purge"), [(0, 1, 0), (29, 5, 1), (21, 2, 2)])
def test_too_few_sessions_are_refused(sessions: int, folds: int, purge: int) -> None:
    with pytest.raises(GantryError) as caught:
        walk_forward(sessions, folds=folds, purge_sessions=purge)
    assert caught.value.code is ErrorCode.DATA_UNAVAILABLE


@pytest.mark.parametrize(("folds", "purge"), [(1, 0), (2, 2), (5, 1), (7, 5)])
def test_whether_there_are_enough_sessions_is_what_a_walk_forward_goes_by(folds: int, purge: int) -> None:
    verdicts = [are_enough(sessions, folds=folds, purge_sessions=purge) for sessions in range(80)]
    assert True in verdicts
    for sessions, enough in enumerate(verdicts):
        with nullcontext() if enough else pytest.raises(GantryError):
            walk_forward(sessions, folds=folds, purge_sessions=purge)


@pytest.mark.parametrize(("folds", "purge"), [(0, 1), (3, -1)])
def test_folds_that_mean_nothing_are_refused(folds: int, purge: int) -> None:
    with pytest.raises(GantryError) as caught:
        walk_forward(100, folds=folds, purge_sessions=purge)
    assert caught.value.code is ErrorCode.VALIDATION_FAILED


def test_bars_after_the_wanted_sessions_are_not_there() -> None:
    windows = (*walk(3, 1), *walk(3, 2, start_ns=MONDAY_NS + 7 * DAY_NS))
    days = sessions_of(windows)
    assert len(np.unique(days)) == len(days)
    for count in range(1, len(days) + 1):
        part = until_session(windows, days, count)
        assert sessions_of(part).tolist() == days[:count].tolist()
        assert sum(map(len, part)) == sum(int((window.session < days[count - 1] + 1).sum()) for window in windows)


def test_a_window_cut_off_keeps_the_rolls_before_the_cut() -> None:
    rolls = (Roll(500, "A", "B", 100, 0), Roll(2_500, "B", "C", 100, 0))
    window = window_of([(100, 100, 100, 100)] * 4_000, rolls=rolls)
    days = sessions_of((window,))
    (part,) = until_session((window,), days, 2)
    assert part.rolls == rolls[:1]
    assert len(part) == int((window.session <= days[1]).sum())
    assert until_session((window,), days, len(days)) == (window,)
