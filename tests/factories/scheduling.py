"""Which tests share a process of the run: all that start a whole Gantry, so that never two of them run at once."""

from collections.abc import Sequence

import pytest
from xdist.scheduler import LoadFileScheduling

# In this order: the first two share one Gantry, and the first asks how a new one looks; the others start their own.
# A whole Gantry is judged by seconds and waits half of its time: the run's other processes work meanwhile.
WHOLE = (
    "tests/e2e/test_one_bot_all_the_way.py",
    "tests/chaos/test_fleet.py",
    "tests/chaos/test_kills.py",
    "tests/e2e/test_fleet_by_itself.py",
)


class OneGantryAtOnce(LoadFileScheduling):  # type: ignore[misc]
    """A file's tests stay in one process, and the files of `WHOLE` in the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "whole Gantry" if file in WHOLE else file


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests with those of `WHOLE` first, in its order: the longest scope begins first."""
    place = {file: number for number, file in enumerate(WHOLE)}
    return sorted(items, key=lambda item: place.get(item.nodeid.split("::", 1)[0], len(WHOLE)))
