"""A list on the command line has as many rows as were asked for, and says when there are more."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from cli.pages import first_rows, note_cut
from core.errors import ErrorCode, GantryError

COUNT = 2_500


@dataclass(frozen=True)
class Numbers:
    """A page of the numbers below COUNT."""

    rows: Sequence[int]
    following: int | None


def numbers(after: int | None, size: int) -> Numbers:
    rows = list(range(after or 0, min((after or 0) + size, COUNT)))
    end = rows[-1] + 1
    return Numbers(rows, end if end < COUNT else None)


@pytest.mark.parametrize(("limit", "shown"), [(1, 1), (1_000, 1_000), (2_499, 2_499), (2_500, 2_500), (None, 2_500)])
def test_rows_are_read_up_to_the_limit(limit: int | None, shown: int) -> None:
    rows = first_rows(numbers, limit)
    assert rows.shown == list(range(shown))
    assert rows.cut is (shown < COUNT)


def test_a_cut_list_is_reported_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    note_cut(first_rows(numbers, None), "trade")
    note_cut(first_rows(numbers, 1_200), "trade")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "Only 1,200 trades are shown; --limit or --all shows more.\n"


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(GantryError) as refused:
        first_rows(numbers, 0)
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
