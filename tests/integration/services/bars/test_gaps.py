"""What is missing of the bars in use, as the catalogue knows it."""

import pytest

from core.errors import ErrorCode, GantryError
from services.bars.gaps import gap_report
from sql.engine import Transactions
from tests.factories.bars_months import make_month


def test_months_that_are_missing_between_the_first_and_the_last_are_named(tx: Transactions) -> None:
    with tx() as session:
        for symbol, month in (("ES", "2023-11"), ("ES", "2024-02"), ("CL", "2024-01")):
            make_month(session, symbol, month)
    cl, es = gap_report(tx)
    assert (cl.symbol, cl.first, cl.last, cl.months_missing) == ("CL", "2024-01", "2024-01", ())
    assert (es.first, es.last, es.months_missing) == ("2023-11", "2024-02", ("2023-12", "2024-01"))
    assert [found.symbol for found in gap_report(tx, symbol="ES")] == ["ES"]


def test_a_month_tells_its_missing_sessions_and_its_longest_gap_first(tx: Transactions) -> None:
    report = {
        "coverage": 0.5,
        "sessions_missing": ["2024-01-09"],
        "gaps": [{"minutes": 3, "start": "a"}, {"minutes": 40, "start": "b"}],
    }
    with tx() as session:
        make_month(session, quality_report=report)
        make_month(session, month="2024-02", quality_report={})
    ((known, unknown),) = (found.months for found in gap_report(tx))
    assert (known.coverage, known.sessions_missing) == (0.5, ("2024-01-09",))
    assert known.gaps == ("40 minutes from b", "3 minutes from a")
    assert (unknown.coverage, unknown.gaps) == (0.0, ()), "a report without coverage is no proof of any"


def test_without_bars_nothing_is_missing_and_an_unknown_symbol_is_refused(tx: Transactions) -> None:
    assert gap_report(tx) == ()
    with pytest.raises(GantryError) as refused:
        gap_report(tx, symbol="XX")
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
