"""What is tried again, how often, after which wait, and the final error."""

import email.utils
import random
import socket
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.errors import ErrorCode, GantryError, Kind
from integrations.http.failures import retry_after_s
from integrations.http.gate import ProviderGate, Request
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from tests.fakes.speaker import Answer, Speaker, say, status
from tests.fakes.usage import KeptUsage

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
QUICK = CallPolicy(deadline_s=10, backoff_s=0.01)


def refusal(sink: KeptUsage, url: str, policy: CallPolicy = QUICK) -> GantryError:
    with pytest.raises(GantryError) as raised:
        ProviderGate("vendor", policy, sink, Limiter(None)).call(Request("GET", url, {}), action="bars")
    return raised.value


def codes(sink: KeptUsage) -> list[str | None]:
    return [event.error_code for event in sink.events]


def attempts(sink: KeptUsage) -> list[object]:
    return [event.metadata["attempt"] for event in sink.events]


LAST_WORD = {
    408: ErrorCode.PROVIDER_TIMEOUT,
    429: ErrorCode.PROVIDER_RATE_LIMITED,
    500: ErrorCode.PROVIDER_BAD_RESPONSE,
    502: ErrorCode.PROVIDER_BAD_RESPONSE,
    503: ErrorCode.PROVIDER_BAD_RESPONSE,
    504: ErrorCode.PROVIDER_BAD_RESPONSE,
}


@pytest.mark.parametrize("code", LAST_WORD)
def test_a_passing_fault_is_overcome_with_a_row_for_each_attempt(code: int) -> None:
    sink = KeptUsage()
    with Speaker(status(code), status(code), status(200, b"bars")) as server:
        reply = ProviderGate("vendor", QUICK, sink, Limiter(None)).call(Request("GET", server.url, {}), action="bars")
        assert len(server.requests) == 3
    assert reply.body == b"bars"
    assert codes(sink) == [LAST_WORD[code], LAST_WORD[code], None]
    assert attempts(sink) == [1, 2, 3]
    assert [event.metadata["http_status"] for event in sink.events] == [code, code, 200]


@pytest.mark.parametrize("code", LAST_WORD)
def test_a_lasting_fault_is_reported_after_the_last_attempt(code: int) -> None:
    sink = KeptUsage()
    with Speaker(status(code)) as server:
        error = refusal(sink, server.url)
        assert len(server.requests) == 3
    assert error.code is LAST_WORD[code]
    assert error.facts == {"provider_id": "vendor", "action": "bars", "attempts": 3, "http_status": code}
    assert codes(sink) == [LAST_WORD[code]] * 3


@pytest.mark.parametrize("code", [501, 505, 301, 302, 307])
def test_other_server_errors_and_redirects_are_a_bad_response_at_once(code: int) -> None:
    sink = KeptUsage()
    with Speaker(status(code, Location="/elsewhere")) as server:
        error = refusal(sink, server.url)
        assert len(server.requests) == 1
    assert error.code is ErrorCode.PROVIDER_BAD_RESPONSE
    assert codes(sink) == ["PROVIDER_BAD_RESPONSE"]


def test_a_refused_connection_is_tried_again_and_then_counts_as_a_timeout() -> None:
    sink = KeptUsage()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = refusal(sink, f"http://127.0.0.1:{port}/bars")
    assert error.code is ErrorCode.PROVIDER_TIMEOUT
    assert "refused" in error.message
    assert codes(sink) == ["PROVIDER_TIMEOUT"] * 3


def test_an_unknown_host_counts_as_a_timeout() -> None:
    sink = KeptUsage()
    error = refusal(sink, "http://nobody.invalid/bars", CallPolicy(attempts=1))
    assert error.code is ErrorCode.PROVIDER_TIMEOUT
    assert codes(sink) == ["PROVIDER_TIMEOUT"]


def test_a_connection_closed_without_a_word_is_tried_again() -> None:
    sink = KeptUsage()
    with Speaker(say(b""), status(200, b"bars")) as server:
        ProviderGate("vendor", QUICK, sink, Limiter(None)).call(Request("GET", server.url, {}), action="bars")
    assert codes(sink) == ["PROVIDER_BAD_RESPONSE", None]


def test_the_wait_between_attempts_doubles_and_varies_by_a_fifth() -> None:
    sink = KeptUsage()
    policy = CallPolicy(deadline_s=10, backoff_s=0.1)
    with Speaker(status(500)) as server:
        started = time.monotonic()
        with pytest.raises(GantryError):
            ProviderGate("vendor", policy, sink, Limiter(None), rng=random.Random(1)).call(
                Request("GET", server.url, {}), action="bars"
            )
        took_s = time.monotonic() - started
    rng = random.Random(1)
    assert took_s >= 0.1 * rng.uniform(0.8, 1.2) + 0.2 * rng.uniform(0.8, 1.2)


def in_two_seconds() -> str:
    return email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)


@pytest.mark.parametrize("code", [429, 503])
def test_the_wait_asked_for_in_seconds_is_kept(code: int) -> None:
    sink = KeptUsage()
    with Speaker(status(code, Retry_After="1"), status(200)) as server:
        started = time.monotonic()
        ProviderGate("vendor", QUICK, sink, Limiter(None)).call(Request("GET", server.url, {}), action="bars")
        assert time.monotonic() - started >= 1
    assert [event.metadata.get("retry_after_s") for event in sink.events] == [1, None]


def test_the_wait_asked_for_as_a_date_is_kept() -> None:
    date = in_two_seconds()
    with Speaker(status(429, Retry_After=date), status(200)) as server:
        ProviderGate("vendor", QUICK, KeptUsage(), Limiter(None)).call(Request("GET", server.url, {}), action="bars")
    # The clock of dates may be read a little before the monotonic one that waits.
    assert datetime.now(UTC) >= email.utils.parsedate_to_datetime(date) - timedelta(milliseconds=50)


def far_date() -> str:
    return email.utils.format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize(
    "answer",
    [status(429, Retry_After="60"), status(503, Retry_After="60"), status(429, Retry_After=far_date())],
    ids=["429", "503", "date"],
)
def test_a_wait_beyond_the_deadline_ends_the_call_at_once_as_a_rate_limit(answer: Answer) -> None:
    sink = KeptUsage()
    with Speaker(answer) as server:
        started = time.monotonic()
        error = refusal(sink, server.url)
        assert time.monotonic() - started < 2
        assert len(server.requests) == len(sink.events) == 1
    assert error.code is ErrorCode.PROVIDER_RATE_LIMITED
    assert error.kind is Kind.RATE_LIMITED
    wait_s = error.facts["retry_after_s"]
    assert isinstance(wait_s, float)
    assert wait_s >= 59


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("-5", 0.0),
        ("Wed, 04 Mar 2026 05:06:17 GMT", 10.0),
        ("Wed, 04 Mar 2026 06:06:17 +0100", 10.0),
        ("Wed, 04 Mar 2026 05:06:17", 10.0),
        ("Wed, 04 Mar 2026 05:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Wed, 99 Mar 2026 05:06:17 GMT", None),
        ("Wed, 04 Mar 2026 05:06:17 +9999", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date_and_else_ignored(header: str | None, expected: float | None) -> None:
    assert retry_after_s(header, NOW) == expected
    assert retry_after_s(header, NOW.astimezone(timezone(timedelta(hours=9)))) == expected
