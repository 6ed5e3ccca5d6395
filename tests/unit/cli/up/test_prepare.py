"""Dagster's own limits leave room for every worker there may be, and for a run that a person starts."""

import re

import pytest

from cli.up.prepare import instance_of
from core.settings import ROOT, Settings

SHIPPED = (ROOT / "dagster.yaml").read_text()


def limits(text: str) -> tuple[int, int]:
    """Runs at once, workers at once."""
    found = re.search(r"max_concurrent_runs: (\d+)\n.*?key: gantry/worker\n\s+limit: (\d+)\n", text, re.DOTALL)
    assert found
    return int(found[1]), int(found[2])


@pytest.mark.parametrize("most", [1, 2, 7])
def test_there_is_room_for_every_worker_and_a_run_of_a_person(most: int) -> None:
    made = instance_of(SHIPPED, most)
    assert limits(made) == (most + 1, most)
    assert made.count("\n") == SHIPPED.count("\n"), "nothing else is changed"


def test_what_is_shipped_fits_the_default() -> None:
    fields = Settings.model_fields
    most: int = fields["max_workers"].default + fields["max_improve_running"].default
    assert limits(SHIPPED) == limits(instance_of(SHIPPED, most))


def test_backfills_leave_every_worker_its_place() -> None:
    found = re.search(r"- key: dagster/backfill\n\s+limit: (\d+)\n", SHIPPED)
    assert found
    runs, workers = limits(SHIPPED)
    assert int(found[1]) <= runs - workers


def test_a_file_without_the_limits_is_not_taken_for_one_with_them() -> None:
    with pytest.raises(AssertionError, match="no limits"):
        instance_of("telemetry: {enabled: false}", 2)
