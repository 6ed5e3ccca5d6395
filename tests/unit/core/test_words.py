"""Counts in sentences."""

import pytest

from core.words import counted


@pytest.mark.parametrize(
    ("number", "nouns", "text"),
    [
        (0, ("session",), "0 sessions"),
        (1, ("session",), "1 session"),
        (1_200, ("session",), "1,200 sessions"),
        (1, ("day of equity", "days of equity"), "1 day of equity"),
        (2, ("day of equity", "days of equity"), "2 days of equity"),
    ],
)
def test_a_count_has_its_noun_in_the_right_number(number: int, nouns: tuple[str, ...], text: str) -> None:
    assert counted(number, *nouns) == text
