"""`gantry bars fetch` and `gantry bars gaps`, on a database and folder of their own and a vendor's stand-in."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import main
from core.settings import get_settings
from sql.embedded import RunningState
from tests.factories.bars import made_bars
from tests.factories.providers import forget_providers
from tests.standins.databento import RANGE, DatabentoStandIn
from tests.standins.faults import Fault
from trading.bars.months import concatenate

JANUARY = made_bars("2024-01-09T23:00", "2024-01-11T22:00")
MARCH = made_bars("2024-03-05T23:00", "2024-03-07T22:00")
MONTHS = ("--from", "2024-01", "--to", "2024-03")


@pytest.fixture
def vendor() -> Iterator[DatabentoStandIn]:
    with DatabentoStandIn({"ES": concatenate([JANUARY, MARCH])}) as found:
        yield found


@pytest.fixture(autouse=True)
def own_home(
    vendor: DatabentoStandIn, database: RunningState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    forget_providers(monkeypatch)
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    monkeypatch.setenv("GANTRY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABENTO_API_KEY", vendor.key)
    monkeypatch.setenv("DATABENTO_BASE_URL", vendor.url)
    monkeypatch.setenv("DATABENTO_CALLS_PER_MINUTE", "60000")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    get_settings.cache_clear()
    yield tmp_path / "home"
    get_settings.cache_clear()


def run(*args: str) -> int:
    try:
        main(["bars", *args])
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def test_the_cost_is_shown_first_and_each_month_says_what_became_of_it(
    vendor: DatabentoStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fetch", "ES", *MONTHS, "--json") == 1
    reported = capsys.readouterr()
    assert "3 months from databento" in reported.err
    assert "USD" in reported.err
    months = {one["month"]: one for one in json.loads(reported.out)}
    assert [months[name]["status"] for name in sorted(months)] == ["FETCHED", "FAILED", "FETCHED"]
    assert months["2024-02"]["error"]["code"] == "DATA_UNAVAILABLE"
    assert months["2024-01"]["bars_count"] == len(JANUARY)
    assert "1 of 3 months failed" in reported.err
    assert vendor.key not in reported.out + reported.err


def test_what_is_there_is_not_fetched_again_unless_it_is_asked_for(
    vendor: DatabentoStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fetch", "ES", "--from", "2024-01", "--to", "2024-01") == 0
    assert "fetched" in capsys.readouterr().out
    assert run("fetch", "ES", "--from", "2024-01", "--to", "2024-01") == 0
    assert "all 1 months are there" in capsys.readouterr().out
    assert len(vendor.called(RANGE)) == 1
    assert run("fetch", "ES", "--from", "2024-01", "--to", "2024-01", "--again") == 0
    assert len(vendor.called(RANGE)) == 2


def test_gaps_name_the_months_and_sessions_that_are_missing(capsys: pytest.CaptureFixture[str]) -> None:
    run("fetch", "ES", *MONTHS)
    capsys.readouterr()
    assert run("gaps") == 0
    assert "months missing from 2024-01 to 2024-03: 2024-02" in capsys.readouterr().out
    assert run("gaps", "ES", "--json") == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["symbol"], found["months_missing"]) == ("ES", ["2024-02"])


def test_nobody_is_there_to_ask_so_a_dear_fetch_is_refused_before_it_is_made(
    vendor: DatabentoStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    vendor.usd_per_gib = 1_000_000_000
    assert run("fetch", "ES", *MONTHS) == 1
    assert "above the limit of 25.00 USD" in capsys.readouterr().err
    assert vendor.called(RANGE) == []
    assert run("fetch", "ES", "--from", "2024-01", "--to", "2024-01", "--yes") == 0


def test_a_vendor_may_be_named_by_a_legacy_id(vendor: DatabentoStandIn) -> None:
    assert run("fetch", "ES", "--from", "2024-01", "--to", "2024-01", "--provider", "market_data_live") == 0
    assert len(vendor.called(RANGE)) == 1


def test_without_any_key_both_vendors_keys_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABENTO_API_KEY", "")
    assert run("fetch", "ES", *MONTHS) == 1
    assert "Set DATABENTO_API_KEY or POLYGON_API_KEY, or import bars" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "output"),
    [
        (("XX",), "VALIDATION_FAILED"),
        (("ES", "--from", "2024-13"), "VALIDATION_FAILED"),
        (("ES", "--from", "2024-03", "--to", "2024-01"), "There is no month"),
        (("ES", "--provider", "polygon"), "INTEGRATION_KEY_MISSING"),
        (("ES", "--provider", "massive"), "Set POLYGON_API_KEY, or"),
        (("ES", "--provider", "files"), "VALIDATION_FAILED"),
        (("ES", "--provider", "nobody"), "VALIDATION_FAILED"),
    ],
)
def test_wrong_use_is_one_clear_error_and_no_call_is_paid_for(
    vendor: DatabentoStandIn, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], output: str
) -> None:
    assert run("fetch", *args) == 1
    assert output in capsys.readouterr().err
    assert vendor.called(RANGE) == []


def test_a_refused_key_says_so(vendor: DatabentoStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    vendor.script(Fault.UNAUTHORIZED, times=None)
    assert run("fetch", "ES", *MONTHS) == 1
    assert "INTEGRATION_VERIFY_FAILED" in capsys.readouterr().err
