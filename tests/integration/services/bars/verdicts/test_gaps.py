"""What is missing of the bars in use, as the catalogue knows it."""

from datetime import UTC, datetime

import pytest

from core.errors import ErrorCode, GantryError
from services.bars.verdicts.gaps import gap_report
from sql.engine import Transactions
from tests.factories.bars import made_bars, without
from tests.factories.bars_months import make_month
from tests.factories.bots import NOW
from tests.factories.imported_bars import Import
from trading.bars.quality_types import ProblemCode, SessionAccepted, SessionAside


def test_months_that_are_missing_between_the_first_and_the_last_are_named(tx: Transactions) -> None:
    with tx() as session:
        for symbol, month in (("ES", "2023-11"), ("ES", "2024-02"), ("CL", "2024-01")):
            make_month(session, symbol, month)
    cl, es = gap_report(tx, NOW)
    assert (cl.symbol, cl.first, cl.last, cl.months_missing) == ("CL", "2024-01", "2024-01", ())
    assert (es.first, es.last, es.months_missing) == ("2023-11", "2024-02", ("2023-12", "2024-01"))
    assert cl.holes == ()
    assert [str(hole) for hole in es.holes] == ["44 sessions from 2023-11-29 to 2024-01-31"]
    assert [found.symbol for found in gap_report(tx, NOW, symbol="ES")] == ["ES"]


def test_a_month_tells_its_missing_sessions_and_its_longest_gap_first(tx: Transactions) -> None:
    report = {
        "coverage": 0.5,
        "sessions_missing": ["2024-01-09"],
        "gaps": [{"minutes": 3, "start": "a"}, {"minutes": 40, "start": "b"}],
    }
    with tx() as session:
        make_month(session, quality_report=report)
        make_month(session, month="2024-02", quality_report={})
    ((known, unknown),) = (found.months for found in gap_report(tx, NOW))
    assert (known.coverage, known.sessions_missing) == (0.5, ("2024-01-09",))
    assert known.gaps == ("40 minutes from b", "3 minutes from a")
    assert (unknown.coverage, unknown.gaps) == (0.0, ()), "a report without coverage is no proof of any"


def test_a_month_lists_what_is_put_aside_what_was_accepted_and_the_halts_of_the_exchange(tx: Transactions) -> None:
    report = {
        "problems": [
            {"code": "KNOWN_HALT", "message": "1 session holds a known halt."},
            {"code": "GAPS", "message": "g"},
        ],
        "sessions_aside": [{"session": "2024-01-09", "code": "MINUTES_MISSING", "message": "Half of it."}],
        "sessions_accepted": [{"session": "2024-01-10", "reason": "checked by hand"}],
    }
    with tx() as session:
        make_month(session, quality_report=report)
    ((month,),) = (found.months for found in gap_report(tx, NOW))
    assert month.sessions_aside == (SessionAside("2024-01-09", ProblemCode.MINUTES_MISSING, "Half of it."),)
    assert month.sessions_accepted == (SessionAccepted("2024-01-10", "checked by hand"),)
    assert month.known_halts == ("1 session holds a known halt.",)


def test_without_bars_nothing_is_missing_and_an_unknown_symbol_is_refused(tx: Transactions) -> None:
    assert gap_report(tx, NOW) == ()
    with pytest.raises(GantryError) as refused:
        gap_report(tx, NOW, symbol="XX")
    assert refused.value.code is ErrorCode.VALIDATION_FAILED


def test_a_hole_across_the_border_of_two_months_is_named_and_both_months_lack_their_part(
    tx: Transactions, import_bars: Import
) -> None:
    whole = made_bars("2024-01-01", "2024-02-09T22:00")
    at = datetime(2024, 2, 9, 22, tzinfo=UTC)
    import_bars(without(whole, "2024-01-19T22:00", "2024-02-05T23:00"), now=at)
    (found,) = gap_report(tx, at)
    assert (found.months_missing, [str(hole) for hole in found.holes]) == (
        (),
        ["11 sessions from 2024-01-22 to 2024-02-05"],
    )
    january, february = found.months
    assert (january.sessions_missing[0], january.sessions_missing[-1]) == ("2024-01-22", "2024-01-31")
    assert february.sessions_missing == ("2024-02-01", "2024-02-02", "2024-02-05")
    assert january.coverage == pytest.approx((13 * 1380 + 1140) / (21 * 1380 + 1140 + 60), abs=1e-6)
    assert february.coverage == pytest.approx(4 / 7, abs=0.01)


def test_what_is_missing_goes_on_growing_after_an_import(tx: Transactions, import_bars: Import) -> None:
    import_bars(made_bars("2024-01-01", "2024-01-19T22:00"), now=datetime(2024, 1, 19, 22, tzinfo=UTC))
    then, later = (gap_report(tx, datetime(2024, 1, day, 22, tzinfo=UTC))[0].months[0] for day in (19, 23))
    assert (then.coverage, then.sessions_missing) == (1.0, ())
    assert later.coverage == pytest.approx(14 / 16, abs=0.01)
    assert later.sessions_missing == ("2024-01-22", "2024-01-23")
