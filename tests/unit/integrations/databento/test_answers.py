"""Databento's answers one by one, those too that no stand-in gives."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import zstandard
from requests import Response

from core.errors import ErrorCode, GantryError
from integrations.databento.answers import check_metadata, cost_of, range_of
from integrations.databento.asked import asked_of
from integrations.databento.errors import refusal
from integrations.databento.parse import bars_of
from integrations.databento.unpack import unpacked
from integrations.databento.wire import warnings_of
from integrations.files.types import FileBars
from tests.factories.bars import made_bars, ns
from tests.standins.dbn import encoded
from tests.standins.records import held
from tests.standins.symbology import select
from trading.bars.schema import Bars
from trading.bars.span import Span

NOW = datetime(2024, 6, 1, tzinfo=UTC)
JANUARY = Span(ns("2024-01-01"), ns("2024-02-01"))
BARS = made_bars("2024-01-08T23:00", "2024-01-09T22:00")
BAD, UNFIT = ErrorCode.PROVIDER_BAD_RESPONSE, ErrorCode.DATA_QUALITY_FAILED
ZSTD = zstandard.ZstdCompressor()


def parsed(symbol: str, *, bars: Bars = BARS, sent: str | None = None, partly: bool = False) -> FileBars:
    """Return what is made of an answer with these bars; sent: the symbol it is of, where not of the one asked for."""
    asked = asked_of(symbol, "2024-01", lambda: JANUARY, NOW)
    selection = select(
        {"ES": held(bars)}, (sent or asked.vendor_symbol,), asked.stype, JANUARY.start_ns, ns("2024-03-01")
    )
    payload = unpacked(asked.name, encoded(selection, None))
    return bars_of(payload, asked, promised=len(selection.records), partly=partly, now=NOW)


def test_a_contract_may_be_known_for_a_part_of_the_days_when_its_bars_are_all_there() -> None:
    assert len(parsed("ESH4", partly=True).bars) == len(BARS)


def test_a_product_known_for_a_part_of_the_days_is_refused_though_the_counts_agree() -> None:
    with pytest.raises(GantryError) as caught:
        parsed("ES", partly=True)
    assert caught.value.code is UNFIT


def test_bars_of_another_contract_are_refused() -> None:
    june = made_bars("2024-01-08T23:00", "2024-01-09T22:00", contract="ESM24")
    with pytest.raises(GantryError) as caught:
        parsed("ESH4", bars=june, sent="ESM4")
    assert caught.value.code is BAD


def test_bars_of_another_month_are_refused() -> None:
    with pytest.raises(GantryError) as caught:
        parsed("ESH4", bars=made_bars("2024-02-05T23:00", "2024-02-06T22:00"))
    assert caught.value.code is UNFIT
    assert "outside" in caught.value.message


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"DBN\x03plain", id="not packed"),
        pytest.param(b"\x28\xb5\x2f\xfd", id="a frame's first bytes"),
        pytest.param(b"\x28\xb5\x2f\xfd" + bytes(100), id="a damaged frame"),
        pytest.param(ZSTD.compress(b"<html>"), id="a packed page"),
        pytest.param(ZSTD.compress(b"DBN") + b"more", id="bytes after the frame"),
        pytest.param(ZSTD.compress(b"DBN" + bytes(2**28)), id="too large when unpacked"),
    ],
)
def test_a_body_that_is_not_one_whole_packed_file_is_a_bad_response(body: bytes) -> None:
    with pytest.raises(GantryError) as caught:
        unpacked("ES-2024-01.dbn.zst", body)
    assert caught.value.code is BAD


def test_a_file_in_several_frames_is_one_file() -> None:
    assert unpacked("x", ZSTD.compress(b"DBN") + ZSTD.compress(b"more")).content == b"DBNmore"


@pytest.mark.parametrize("cut_at", range(0, 2_000, 97))
def test_metadata_cut_or_damaged_anywhere_are_refused_and_never_a_crash(cut_at: int) -> None:
    asked = asked_of("ES", "2024-01", lambda: JANUARY, NOW)
    selection = select({"ES": held(BARS)}, ("ES.v.0",), "continuous", JANUARY.start_ns, JANUARY.end_ns)
    content = unpacked("x", encoded(selection, None)).content
    for spoilt in (b"DBN" + content[3:cut_at], content[:cut_at] + b"\xff" * 9 + content[cut_at + 9 :]):
        if not spoilt.startswith(b"DBN") or spoilt == content:
            continue
        try:
            found = bars_of(unpacked("x", ZSTD.compress(spoilt)), asked, promised=len(BARS), partly=False, now=NOW)
        except GantryError as error:
            assert error.code in {BAD, UNFIT}  # noqa: PT017 -- padding may be damaged without harm
        else:
            assert len(found.bars) == len(BARS)


@pytest.mark.parametrize("answer", ["-1", "1.5", '"7"', "true", "null", "1e400", "[7]", "9" * 5000, "[" * 9000])
def test_a_number_of_records_is_a_whole_one(answer: str) -> None:
    with pytest.raises(GantryError) as caught:
        check_metadata("metadata.get_record_count", answer.encode())
    assert caught.value.code is BAD


@pytest.mark.parametrize("answer", ["-0.5", "NaN", "Infinity", '"7"', "true", "null"])
def test_a_cost_is_a_number(answer: str) -> None:
    with pytest.raises(GantryError) as caught:
        check_metadata("metadata.get_cost", answer.encode())
    assert caught.value.code is BAD


def test_a_cost_is_kept_to_the_digit() -> None:
    assert cost_of(json.loads("0.10")) + cost_of(json.loads("0.20")) == Decimal("0.3")


def test_the_range_of_one_minute_bars_counts_where_it_is_given() -> None:
    whole = {"start": "2010-06-06T00:00:00.000000000Z", "end": "2024-03-01T00:00:00.000000000Z"}
    own = {"start": "2024-01-01T00:00:00.000000001Z", "end": "2024-02-01T00:00:59.999999999Z"}
    assert range_of(whole) == Span(ns("2010-06-06"), ns("2024-03-01"))
    assert range_of({**whole, "schema": {"ohlcv-1m": own}}) == Span(ns("2024-01-01"), ns("2024-02-01"))


@pytest.mark.parametrize(
    "answer", [[], {}, {"start": "2024-01-01"}, {"start": 1, "end": 2}, {"start": "a", "end": "b"}]
)
def test_a_range_without_two_times_is_a_bad_response(answer: object) -> None:
    with pytest.raises(GantryError) as caught:
        range_of(answer)
    assert caught.value.code is BAD


@pytest.mark.parametrize("answer", [None, [], "text", {}, {"detail": "text"}, {"detail": {"case": 1, "payload": []}}])
def test_a_refusal_in_any_shape_has_its_status_code(answer: object) -> None:
    assert refusal(402, answer, key="canary").code is ErrorCode.PROVIDER_ENTITLEMENT
    assert refusal(418, answer, key="canary").code is BAD


def test_a_symbol_that_is_not_there_is_unavailable_under_another_status_too() -> None:
    detail = {"case": "symbology_invalid_request", "message": "None of the symbols\ncould be resolved: canary."}
    error = refusal(400, {"detail": detail}, key="canary")
    assert error.code is ErrorCode.DATA_UNAVAILABLE
    assert "None of the symbols could be resolved: [key]." in error.message


def test_the_vendors_warnings_are_kept_as_facts_whatever_their_shape() -> None:
    response = Response()
    response.headers["X-Warning"] = '["Warning: for canary", 7]'
    assert warnings_of(response, "canary") == ["Warning: for [key]"]
    for header in ("no JSON", "{}", "[" * 9000):
        response.headers["X-Warning"] = header
        assert warnings_of(response, "canary") == []
