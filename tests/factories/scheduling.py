"""Which tests share a process of the run: those on one whole Gantry, so that it is started once."""

from collections.abc import Sequence

import pytest
from xdist.scheduler import LoadFileScheduling

# In this order: the first asks how a new Gantry looks, the second hits it.
SHARED = ("tests/e2e/test_one_bot_all_the_way.py", "tests/chaos/test_fleet.py")


class BySharedGantry(LoadFileScheduling):  # type: ignore[misc]
    """A file's tests stay in one process, and the files of `SHARED` in the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "one whole Gantry" if file in SHARED else file


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests with those of `SHARED` first, in its order; the slowest ones then begin first."""
    place = {file: number for number, file in enumerate(SHARED)}
    return sorted(items, key=lambda item: place.get(item.nodeid.split("::", 1)[0], len(SHARED)))
