"""Which tests share a process of the run: those that share what is slow to start."""

from collections.abc import Sequence

import pytest
from xdist.scheduler import LoadFileScheduling

# In this order: the first asks how a new Gantry looks, the second hits it.
WHOLE_GANTRY = ("tests/e2e/test_one_bot_all_the_way.py", "tests/chaos/test_fleet.py")
# vectorbt compiles its numba functions once a process, and keeps none of them on disk.
COMPILED = ("tests/unit/trading/backtest/test_engine_fuzz.py", "tests/unit/trading/backtest/test_parity.py")
SHARING = {"one whole Gantry": WHOLE_GANTRY, "what vectorbt compiled": COMPILED}
TOGETHER = {file: what for what, files in SHARING.items() for file in files}


class BySharedStart(LoadFileScheduling):  # type: ignore[misc]
    """A file's tests stay in one process, and the files that share a slow start in the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return TOGETHER.get(file, file)


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests with those on the whole Gantry first, in its order; the slowest ones then begin first."""
    place = {file: number for number, file in enumerate(WHOLE_GANTRY)}
    return sorted(items, key=lambda item: place.get(item.nodeid.split("::", 1)[0], len(WHOLE_GANTRY)))
