"""A session that fails is put aside alone: what that takes, what a person may change of it, and what a halt is."""

from dataclasses import replace

import pytest

from tests.factories.bars import made_bars, ns, without
from trading.bars.aside import sessions_aside, without_sessions
from trading.bars.quality import MonthVerdict, ProblemCode, QualityReport, assess
from trading.bars.schema import Bars
from trading.calendar.halts import KNOWN_HALTS, halts_between
from trading.day_session import Hours, instrument_of
from trading.instruments import get_instrument

ES = get_instrument("ES")
DAYS = ("2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11", "2024-01-12")
HALTED = ("2025-11-23T23:00", "2025-11-28T18:15")  # the week of the halt of 28 November 2025
HALT = ("2025-11-28T02:45", "2025-11-28T13:30")


def holed(*days: str, of: Bars | None = None) -> Bars:
    """A week, or other bars, in which those days lack six hours."""
    bars = made_bars("2024-01-07T23:00", "2024-01-12T22:00") if of is None else of
    for day in days:
        bars = without(bars, f"{day}T10:00", f"{day}T16:00")
    return bars


def with_price(name: str, value: float, *rows: int, of: Bars | None = None) -> Bars:
    """A week, or other bars, in which those rows have that price."""
    bars = holed(of=of)
    values = getattr(bars, name).copy()
    values[list(rows)] = value
    return replace(bars, **{name: values})


def aside(report: QualityReport) -> list[str]:
    return [one.session for one in report.aside]


def codes(report: QualityReport) -> list[ProblemCode]:
    return [problem.code for problem in report.problems]


def test_a_session_that_fails_is_put_aside_alone_with_its_reason_and_the_month_warns() -> None:
    report = assess(holed("2024-01-10"), ES)
    assert report.verdict is MonthVerdict.WARN
    (one,) = report.aside
    assert (one.session, one.code) == ("2024-01-10", ProblemCode.MINUTES_MISSING)
    assert one.message == "360 of its 1,380 minutes (26%) have no bar."
    (problem,) = [found for found in report.problems if found.code is ProblemCode.MINUTES_MISSING]
    assert "gantry bars accept ES 2024-01-10 --reason" in problem.fix


def test_over_a_fifth_of_the_sessions_failing_blocks_and_then_none_is_put_aside() -> None:
    report = assess(holed(*DAYS[1:3]), ES)
    assert (report.verdict, report.aside) == (MonthVerdict.BLOCKED, ())
    assert "over a fifth of the 5 sessions" in report.problems[0].message
    ten = made_bars("2024-01-07T23:00", "2024-01-19T22:00")
    assert aside(assess(holed(*DAYS[1:3], of=ten), ES)) == list(DAYS[1:3])


@pytest.mark.parametrize(("name", "value"), [("high", 4000.0), ("low", 6000.0)])
def test_an_impossible_bar_puts_its_session_aside_alone_and_is_named(name: str, value: float) -> None:
    report = assess(with_price(name, value, 100), ES)
    assert report.verdict is MonthVerdict.WARN
    assert aside(report) == ["2024-01-08"]
    assert report.aside[0].code is ProblemCode.OHLC_VIOLATION
    assert report.aside[0].message.endswith("first at 2024-01-08T00:40:00Z.")
    (problem,) = report.problems
    assert (problem.code, problem.examples) == (ProblemCode.OHLC_VIOLATION, ("2024-01-08T00:40:00Z",))
    assert "bar 101" in problem.message


def test_impossible_bars_in_over_a_fifth_of_the_sessions_block_and_count_with_those_that_lack_minutes() -> None:
    report = assess(with_price("high", 4000.0, 100, 1500), ES)
    assert (report.verdict, report.aside) == (MonthVerdict.BLOCKED, ())
    both = assess(with_price("high", 4000.0, 100, of=holed("2024-01-10")), ES)
    assert (both.verdict, codes(both)[:2]) == (
        MonthVerdict.BLOCKED,
        [ProblemCode.OHLC_VIOLATION, ProblemCode.MINUTES_MISSING],
    )


def test_impossible_bars_are_never_accepted() -> None:
    report = assess(with_price("high", 4000.0, 100), ES, accepted={"2024-01-08": "checked by hand"})
    assert (aside(report), report.accepted) == (["2024-01-08"], ())


def test_one_failing_session_blocks_only_where_it_is_the_only_one() -> None:
    two = made_bars("2024-01-08T23:00", "2024-01-10T22:00")
    assert aside(assess(holed("2024-01-10", of=two), ES)) == ["2024-01-10"]
    alone = made_bars("2024-01-09T23:00", "2024-01-10T22:00")
    assert assess(holed("2024-01-10", of=alone), ES).verdict is MonthVerdict.BLOCKED


@pytest.mark.parametrize("start", ["2024-01-28T23:00", "2024-01-31T23:00"], ids=["a week", "the evening alone"])
def test_the_evening_that_ends_a_month_neither_costs_the_session_it_begins_nor_blocks_the_month(start: str) -> None:
    evening = without(made_bars(start, "2024-02-01T00:00"), "2024-01-31T23:10", "2024-01-31T23:25")
    report = assess(evening, ES)
    assert (report.verdict, report.aside) == (MonthVerdict.OK, ())
    assert report.gaps[-1].minutes == 15
    report = assess(with_price("high", 0.25, len(evening) - 1, of=evening), ES)
    assert (report.verdict, aside(report)) == (MonthVerdict.WARN, ["2024-02-01"])


def test_an_accepted_session_is_used_and_the_month_goes_on_warning_with_the_reason() -> None:
    report = assess(
        holed("2024-01-09", "2024-01-10"), ES, accepted={"2024-01-10": "checked by hand", "2024-02-01": "other"}
    )
    assert (report.verdict, aside(report)) == (MonthVerdict.WARN, ["2024-01-09"])
    assert [(one.session, one.reason) for one in report.accepted] == [("2024-01-10", "checked by hand")]
    (problem,) = [found for found in report.problems if found.code is ProblemCode.SESSION_ACCEPTED]
    assert "checked by hand" in problem.message


def test_a_session_accepted_and_complete_since_is_no_warning() -> None:
    report = assess(holed(), ES, accepted={"2024-01-10": "checked by hand"})
    assert (report.verdict, report.accepted) == (MonthVerdict.OK, ())


def test_a_halt_of_the_exchange_fails_no_session_and_is_a_warning_with_its_source() -> None:
    report = assess(without(made_bars(*HALTED), *HALT), ES)
    assert (report.verdict, report.aside, report.gaps) == (MonthVerdict.WARN, (), ())
    (problem,) = report.problems
    assert (problem.code, problem.examples) == (ProblemCode.KNOWN_HALT, ("2025-11-28",))
    assert KNOWN_HALTS[3].what in problem.message
    assert KNOWN_HALTS[3].source in problem.message


def test_a_file_of_the_day_session_knows_the_halts_too() -> None:
    span = ns(HALT[0]), ns(HALT[1])
    assert halts_between(instrument_of("ES", Hours.RTH), *span) == halts_between(ES, *span) == (KNOWN_HALTS[3],)


def test_a_halted_session_that_lacks_more_than_the_halt_fails_all_the_same() -> None:
    report = assess(without(made_bars(*HALTED), HALT[0], "2025-11-28T16:30"), ES)
    assert aside(report) == ["2025-11-28"]
    assert report.aside[0].message == "180 of its 510 minutes (35%) have no bar."


def test_a_halt_in_which_every_minute_has_a_bar_goes_without_saying() -> None:
    assert assess(made_bars(*HALTED), ES).problems == ()


def test_what_is_put_aside_is_left_out_whole_and_all_else_stays() -> None:
    bars = holed("2024-01-10")
    stored = assess(bars, ES).as_json()
    assert sessions_aside(stored) == ("2024-01-10",)
    fit = without_sessions(bars, ES, sessions_aside(stored))
    whole = made_bars("2024-01-07T23:00", "2024-01-12T22:00")
    left = (whole.ts < ns("2024-01-09T23:00")) | (whole.ts >= ns("2024-01-10T23:00"))
    assert fit.ts.tolist() == whole.ts[left].tolist()
    assert assess(fit, ES).sessions_missing == ("2024-01-10",)
    assert without_sessions(bars, ES, ()) is bars


def test_a_report_of_before_sessions_were_put_aside_puts_none_aside() -> None:
    assert sessions_aside({"verdict": "WARN", "problems": []}) == ()
