"""What is reported of a series before a result on it is believed."""

from services.bars.caveats import caveats_of
from tests.factories.bars import made_bars, without
from trading.bars.schema import Bars
from trading.instruments import get_instrument

ES = get_instrument("ES")
WEEKS = made_bars("2024-01-01", "2024-01-27")


def reported(bars: Bars, min_sessions: int = 1) -> list[str]:
    return list(caveats_of(bars, ES, min_sessions))


def test_a_long_series_of_named_contracts_without_holes_needs_no_word() -> None:
    assert reported(WEEKS, min_sessions=19) == []


def test_one_session_less_than_are_wanted_is_reported() -> None:
    (only,) = reported(WEEKS, min_sessions=20)
    assert only.startswith("ES has 19 sessions of bars: results on fewer than 20 (MIN_SESSIONS_FOR_GRADING)")


def test_up_to_three_holes_are_named_and_the_rest_counted() -> None:
    holed = WEEKS
    for day in (3, 9, 11, 16):
        holed = without(holed, f"2024-01-{day - 1:02d}T23:00", f"2024-01-{day:02d}T22:00")
    one = without(WEEKS, "2024-01-02T23:00", "2024-01-04T22:00")
    assert reported(one) == [
        "Holes in the bars: 2 sessions from 2024-01-03 to 2024-01-04. "
        "No position and no indicator lives through a hole."
    ]
    (several,) = reported(holed)
    assert several.startswith(
        "Holes in the bars: the session of 2024-01-03, the session of 2024-01-09, the session of 2024-01-11 and 1 more."
    )
