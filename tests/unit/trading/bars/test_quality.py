"""Quality: what blocks bars, what only warns, and what is nothing to complain of."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import QualityVerdict
from tests.factories.bars import bars_at, made_bars, ns, with_volume, without
from trading.bars.months import concatenate
from trading.bars.quality import MonthVerdict, ProblemCode, assess, require_fit
from trading.bars.schema import Bars
from trading.bars.span import span_of
from trading.instruments import get_instrument
from trading.sessions import MINUTE_NS, expected_minutes

ES = get_instrument("ES")
START, END = "2024-01-07T23:00", "2024-01-12T22:00"


def week() -> Bars:
    return made_bars(START, END)


def codes(bars: Bars, symbol: str = "ES") -> list[ProblemCode]:
    return [problem.code for problem in assess(bars, get_instrument(symbol)).problems]


def broken(name: str, row: int, value: float) -> Bars:
    values = getattr(week(), name).copy()
    values[row] = value
    return replace(week(), **{name: values})


def test_verdicts_are_the_fleets() -> None:
    assert [one.value for one in MonthVerdict] == [one.value for one in QualityVerdict]


def test_whole_sessions_are_fine() -> None:
    report = assess(week(), ES)
    assert (report.verdict, report.problems, report.gaps, report.coverage) == (MonthVerdict.OK, (), (), 1.0)
    assert report.sessions_missing == ()
    assert require_fit(week(), ES) == report


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("open", np.nan, ProblemCode.NOT_FINITE),
        ("close", np.inf, ProblemCode.NOT_FINITE),
        ("low", 0.0, ProblemCode.NOT_POSITIVE),
        ("low", -3.0, ProblemCode.NOT_POSITIVE),
        ("high", 9000.1, ProblemCode.OFF_GRID),
        ("volume", -1, ProblemCode.NEGATIVE_VOLUME),
    ],
)
def test_an_impossible_bar_blocks_and_is_named(name: str, value: float, code: ProblemCode) -> None:
    report = assess(broken(name, 100, value), ES)
    assert report.verdict is MonthVerdict.BLOCKED
    (problem,) = [one for one in report.problems if one.code is code]
    assert problem.examples == ("2024-01-08T00:40:00Z",)
    assert "bar 101" in problem.message


def test_negative_prices_are_legal_for_crude_oil() -> None:
    crude = made_bars("2020-04-20T00:00", "2020-04-20T21:00", symbol="CL", contract="CLK20", first_tick=-3763)
    assert assess(crude, get_instrument("CL")).verdict is MonthVerdict.OK


def test_no_bars_at_all_block() -> None:
    assert codes(week().take(slice(0, 0))) == [ProblemCode.EMPTY]


def test_bars_off_the_minute_out_of_order_or_doubled_block() -> None:
    assert ProblemCode.OFF_MINUTE in codes(replace(week(), ts=week().ts + 1))
    assert codes(week().take(slice(None, None, -1))) == [ProblemCode.UNSORTED]
    assert codes(week().take(np.sort(np.append(np.arange(len(week())), 50)))) == [ProblemCode.DUPLICATED]


def test_a_session_without_bars_is_a_warning_that_names_the_day() -> None:
    report = assess(without(week(), "2024-01-09T23:00", "2024-01-10T23:00"), ES)
    assert report.verdict is MonthVerdict.WARN
    assert report.sessions_missing == ("2024-01-10",)
    assert report.problems[0].message == "1 whole session has no bar, first 2024-01-10."
    assert report.coverage == pytest.approx(0.8)


JANUARY = span_of("2024-01")


def test_of_a_whole_month_all_sessions_are_wanted_however_short_the_file_is() -> None:
    report = assess(week(), ES, JANUARY)
    assert report.verdict is MonthVerdict.WARN
    assert [problem.code for problem in report.problems] == [ProblemCode.SESSIONS_MISSING]
    assert (report.sessions_missing[0], len(report.sessions_missing), report.sessions) == ("2024-01-02", 17, 5)
    assert report.coverage == pytest.approx(5 * 1380 / (21 * 1380 + 1140 + 60))
    assert report.covered_until == "2024-02-01T00:00:00Z"


def test_what_lies_after_the_end_of_the_export_is_not_missing() -> None:
    report = assess(made_bars("2024-01-01", END), ES, JANUARY.before(ns(END)))
    assert (report.verdict, report.coverage, report.sessions_missing) == (MonthVerdict.OK, 1.0, ())
    late = assess(week(), ES, JANUARY.before(ns("2024-01-10T22:00")))
    assert late.covered_until == f"{END}:00Z", "bars that are there belong to it"


def test_the_evening_that_ends_a_month_is_of_the_next_month_s_first_session() -> None:
    with_it, without_it = (
        assess(made_bars("2024-01-01", end), ES, JANUARY) for end in ("2024-02-01", "2024-01-31T22:00")
    )
    assert with_it.sessions == without_it.sessions == 22
    assert (with_it.verdict, without_it.verdict) == (MonthVerdict.OK, MonthVerdict.OK)
    assert with_it.coverage == 1.0
    assert without_it.coverage == pytest.approx(1 - 60 / 30_180)


def test_sessions_in_which_nothing_traded_are_no_history() -> None:
    silent = with_volume(week(), "2024-01-08T23:00", "2024-01-09T22:00", 0)
    assert assess(silent, ES, JANUARY).sessions == 4
    assert assess(replace(week(), volume=np.zeros(len(week()), np.int64)), ES, JANUARY).sessions == 5


def test_bars_that_name_no_contract_are_a_warning_with_what_follows_and_a_fix() -> None:
    (problem,) = assess(replace(week(), contracts=("",)), ES).problems
    assert (problem.code, problem.severity, problem.count) == (ProblemCode.CONTRACTS_UNNAMED, "WARN", len(week()))
    assert "rolls can't be seen" in problem.message
    assert "contract or instrument_id" in problem.fix
    some = concatenate([made_bars(START, "2024-01-08T22:00", contract=""), made_bars("2024-01-08T23:00", END)])
    assert [one.count for one in assess(some, ES).problems] == [1380]
    assert codes(made_bars(START, END, contract="17077")) == []


def test_a_day_missing_from_midnight_to_midnight_is_a_missing_day_too() -> None:
    report = assess(without(week(), "2024-01-09T00:00", "2024-01-10T00:00"), ES)
    assert report.verdict is MonthVerdict.WARN


def test_a_liquid_session_fails_when_over_a_fifth_is_missing_and_less_is_a_gap() -> None:
    more, less = (
        without(week(), "2024-01-10T10:00", "2024-01-10T14:37"),
        without(week(), "2024-01-10T10:00", "2024-01-10T14:36"),
    )
    assert codes(more) == [ProblemCode.MINUTES_MISSING, ProblemCode.GAPS]
    report = assess(less, ES)
    assert (report.verdict, [one.code for one in report.problems]) == (MonthVerdict.WARN, [ProblemCode.GAPS])
    (gap,) = report.gaps
    assert (gap.session, gap.start, gap.end, gap.minutes) == (
        "2024-01-10",
        "2024-01-10T10:00:00Z",
        "2024-01-10T14:35:00Z",
        276,
    )
    assert report.problems[0].message.startswith("1 gap of 30 minutes or more in liquid sessions, first 2024-01-10T10")


def test_scattered_missing_minutes_fail_a_liquid_session_and_not_a_thin_one() -> None:
    kept = np.ones(len(week()), np.bool_)
    kept[1380:2760:4] = False
    assert codes(week().take(kept)) == [ProblemCode.MINUTES_MISSING]
    thin = with_volume(week(), "2024-01-08T23:00", "2024-01-09T22:00", 3).take(kept)
    assert codes(thin) == [ProblemCode.THIN]


def test_sessions_cut_by_the_first_and_the_last_bar_count_from_and_to_them() -> None:
    assert assess(made_bars("2024-01-09T14:00", "2024-01-10T09:00"), ES).verdict is MonthVerdict.OK


def test_bars_outside_the_calendar_are_kept_with_a_warning() -> None:
    late = bars_at(ns("2024-01-09T22:00") + np.arange(15) * MINUTE_NS)
    report = assess(concatenate([week(), late]), ES)
    assert report.verdict is MonthVerdict.WARN
    assert [(one.code, one.count) for one in report.problems] == [(ProblemCode.OUTSIDE_SESSION, 15)]


@pytest.mark.parametrize(
    ("shift_minutes", "fix"), [(1, "--stamp close"), (-1, "--stamp open"), (60, "--tz"), (-60, "--tz"), (-360, "--tz")]
)
def test_wrong_stamps_are_noticed_and_the_fix_is_named(shift_minutes: int, fix: str) -> None:
    shifted = replace(week(), ts=week().ts + shift_minutes * MINUTE_NS)
    with pytest.raises(GantryError) as caught:
        require_fit(shifted, ES)
    assert caught.value.code is ErrorCode.DATA_QUALITY_FAILED
    assert ProblemCode.MIS_STAMPED.value in str(caught.value.facts["problems"])
    assert fix in caught.value.fix


def test_a_jump_inside_a_session_is_a_warning_and_a_gap_between_sessions_is_none() -> None:
    first, second = made_bars(START, "2024-01-10T15:00"), made_bars("2024-01-10T15:00", END, first_tick=23_000)
    assert codes(concatenate([first, second])) == [ProblemCode.PRICE_JUMP]
    first, second = made_bars(START, "2024-01-10T22:00"), made_bars("2024-01-10T23:00", END, first_tick=23_000)
    assert codes(concatenate([first, second])) == []


def test_bars_of_a_weekend_alone_are_judged_without_a_calendar() -> None:
    saturday = bars_at(ns("2024-01-06T12:00") + np.arange(30) * MINUTE_NS)
    assert codes(saturday) == [ProblemCode.OUTSIDE_SESSION]


def test_the_report_is_json() -> None:
    import json

    one = without(week(), "2024-01-10T10:00", "2024-01-10T16:00")
    report = assess(without(one, "2024-01-11T10:00", "2024-01-11T16:00"), ES)
    stored = json.loads(json.dumps(report.as_json()))
    assert stored["verdict"] == "BLOCKED"
    assert stored["problems"][0]["code"] == "MINUTES_MISSING"
    assert stored["gaps"][0]["minutes"] == 360
    assert report.sentence().startswith("2 liquid sessions lack")


def test_expected_minutes_of_a_made_week_are_its_bars() -> None:
    assert np.array_equal(expected_minutes(ES, ns(START), ns(END)), week().ts)
