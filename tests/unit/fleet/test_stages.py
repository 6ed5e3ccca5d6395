"""Stages: every change from every stage to every other."""

from itertools import product

import pytest

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import Stage
from fleet.stages import ORDER, STAGE_TRANSITIONS, StageChange, check_stage, is_legal_stage

UP = {("LAB", "PAPER"), ("PAPER", "SHADOW"), ("SHADOW", "CANARY"), ("CANARY", "LIVE")}
LEGAL: dict[StageChange, set[tuple[str | None, str]]] = {
    StageChange.CREATED: {(None, "LAB")},
    StageChange.PROMOTED: {(here, there) for here, there in UP},
    StageChange.DEMOTED: {(there, here) for here, there in UP},
    StageChange.REVERTED_TO_LAB: {(stage.value, "LAB") for stage in Stage},
}


@pytest.mark.parametrize(("change", "current", "following"), list(product(StageChange, [None, *Stage], Stage)))
def test_a_stage_changes_one_step_at_a_time_or_back_to_lab(
    change: StageChange, current: Stage | None, following: Stage
) -> None:
    legal = (current.value if current else None, following.value) in LEGAL[change]
    assert is_legal_stage(change, current, following) is legal
    if legal:
        check_stage(change, current, following)
        return
    with pytest.raises(GantryError, match=change.value) as caught:
        check_stage(change, current, following)
    assert caught.value.code is ErrorCode.CONFLICT
    assert caught.value.fix


def test_every_stage_and_every_change_is_in_the_tables() -> None:
    assert set(ORDER) == set(Stage)
    assert set(STAGE_TRANSITIONS) == set(StageChange)
