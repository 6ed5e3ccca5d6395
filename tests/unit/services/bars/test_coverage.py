"""What a month should cover: all of it, up to now or to the end that its export states."""

from datetime import UTC, datetime

import pytest

from services.bars.coverage import judged_span, month_span
from sql.tables.bars import BarsMonth
from tests.factories.bars import ns
from trading.bars.span import Span

MIDDLE, LATER = datetime(2024, 1, 19, 22, 0, 30, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
START, MONTH_END, MIDDLE_NS = ns("2024-01-01"), ns("2024-02-01"), ns("2024-01-19T22:00")


@pytest.mark.parametrize(
    ("details", "now", "end_ns"),
    [
        ({}, LATER, MONTH_END),
        ({}, MIDDLE, MIDDLE_NS),  # to the minute: the one at hand isn't over
        ({"end": "2024-01-19T22:00:00+00:00"}, LATER, MIDDLE_NS),
        ({"end": "2024-05-01T00:00:00Z"}, LATER, MONTH_END),
        ({"end": "2024-05-01T00:00:00Z"}, MIDDLE, MIDDLE_NS),
    ],
)
def test_the_first_of_the_months_end_now_and_the_stated_end_counts(
    details: dict[str, object], now: datetime, end_ns: int
) -> None:
    assert month_span("2024-01", details, now) == Span(START, end_ns)


def test_a_month_is_judged_again_as_it_was_and_one_of_older_rules_as_if_it_came_in_at_its_time() -> None:
    row = BarsMonth(month="2024-01", quality_report={"covered_until": "2024-01-19T22:00:00Z"})
    assert judged_span(row) == Span(START, MIDDLE_NS)
    for came_in, end_ns in ((MIDDLE, MIDDLE_NS), (LATER, MONTH_END)):
        older = BarsMonth(month="2024-01", quality_report={}, source_details={}, created_at=came_in)
        assert judged_span(older) == Span(START, end_ns)
