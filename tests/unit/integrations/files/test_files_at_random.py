"""Files at random: each is read as what it is, or refused; none is misread, and none ends in another error.

GANTRY_FUZZ_FILES says how many; 2,000 take about two minutes.
"""

import os
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from core.errors import GantryError
from integrations.files.types import FileBars
from tests.factories.mutated_files import Mutated, mutated
from tests.factories.reading_files import same_bars, taken

FILES = int(os.environ.get("GANTRY_FUZZ_FILES", "200"))
BATCH = 100


@pytest.mark.parametrize("batch", range(max(1, FILES // BATCH)))
def test_a_file_at_random_is_read_as_what_it_is_or_refused(tmp_path: Path, batch: int) -> None:
    whole: Counter[bool] = Counter()
    for number in range(batch * BATCH, (batch + 1) * BATCH):
        file = mutated(random.Random(f"file {number}"))
        try:
            found = taken(tmp_path / "bars.csv", file.content, **file.options)
        except GantryError:
            whole[False] += not file.faults
        else:
            assert is_right(file, found), (number, file.faults, file.way, file.options)
            whole[True] += not file.faults
    assert whole[True] > 0.7 * whole.total()  # what is only written in its own way is refused for a reason alone


def is_right(file: Mutated, found: FileBars) -> bool:
    """Whether the bars read are those the file was made of; but for its last cell where the reader tells of it."""
    if file.truth is None:
        return False
    if same_bars(found.bars, file.truth):
        return True
    reported = found.source_details["final_newline"] is False
    rest = np.arange(len(file.truth) - 1)
    return file.last_cell and reported and same_bars(found.bars.take(rest), file.truth.take(rest))
