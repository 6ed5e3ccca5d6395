"""Every attempt leaves exactly one row, whatever happens, and no row or message contains a secret."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import ErrorCode, GantryError, bad_data
from core.trace import tracing
from fleet.closed_sets import CallStatus
from integrations.http.gate import ProviderGate, Reply, Request
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from integrations.http.serving import serving
from integrations.ports import UsageEvent
from tests.fakes.speaker import Answer, Speaker, say, silence, status
from tests.fakes.usage import KeptUsage

QUICK = CallPolicy(deadline_s=0.6, backoff_s=0.01)
SECRET = "s3cr3t-key"


def make_gate(sink: KeptUsage, policy: CallPolicy = QUICK) -> ProviderGate:
    return ProviderGate("vendor", policy, sink, Limiter(None))


def test_a_good_answer_leaves_one_row_with_all_that_is_known() -> None:
    sink = KeptUsage()
    with Speaker(status(200, b"bars")) as server, tracing("0af7651916cd43dd8448eb211c80319c"), serving(["b", "a", "b"]):
        reply = make_gate(sink).call(Request("GET", server.url, {}), action="bars")
    (event,) = sink.events
    assert (event.provider_id, event.action, event.status, event.error_code) == ("vendor", "bars", CallStatus.OK, None)
    assert event.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert event.metadata == {"attempt": 1, "http_status": 200, "bytes": 4, "bot_ids": ["a", "b"]}
    assert 0 <= reply.took_ms <= event.latency_ms < 5000


def test_a_call_that_serves_no_bot_names_none() -> None:
    sink = KeptUsage()
    with Speaker(status(200)) as server:
        with serving(["a"]):
            pass
        make_gate(sink).call(Request("GET", server.url, {}), action="bars")
    assert "bot_ids" not in sink.events[0].metadata


def test_an_answer_that_its_reader_refuses_is_an_error_with_the_readers_code_and_not_tried_again() -> None:
    def examine(reply: Reply) -> None:
        raise bad_data(f"{len(reply.body)} bytes of nothing.", fix="Ask again.")

    sink = KeptUsage()
    with Speaker(status(200, b"bars")) as server:
        with pytest.raises(GantryError) as raised:
            make_gate(sink).call(Request("GET", server.url, {}), action="bars", examine=examine)
        assert len(server.requests) == 1
    assert raised.value.message == "4 bytes of nothing."
    assert [(event.status, event.error_code) for event in sink.events] == [(CallStatus.ERROR, "DATA_QUALITY_FAILED")]
    assert sink.events[0].metadata["http_status"] == 200


@pytest.mark.parametrize("bug", [KeyError, KeyboardInterrupt, SystemExit])
def test_a_reader_that_breaks_down_still_leaves_its_row(bug: type[BaseException]) -> None:
    def examine(_reply: Reply) -> None:
        raise bug

    sink = KeptUsage()
    with Speaker(status(200)) as server, pytest.raises(bug):
        make_gate(sink).call(Request("GET", server.url, {}), action="bars", examine=examine)
    assert [event.error_code for event in sink.events] == ["INTERNAL"]


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 422])
def test_a_refusal_is_handed_to_the_caller_and_never_counts_as_use(code: int) -> None:
    sink = KeptUsage()
    with Speaker(status(code, b"why", X_Case="4")) as server:
        reply = make_gate(sink).call(Request("GET", server.url, {}), action="bars")
        assert len(server.requests) == 1
    assert (reply.status, reply.body, reply.headers["x-case"]) == (code, b"why", "4")
    assert [(event.status, event.error_code) for event in sink.events] == [(CallStatus.ERROR, "PROVIDER_BAD_RESPONSE")]


def test_a_call_that_gets_no_turn_in_time_makes_no_attempt_and_no_row() -> None:
    sink = KeptUsage()
    policy = CallPolicy(deadline_s=1, calls_per_minute=1, burst=1)
    with Speaker(status(200)) as server:
        gate = make_gate(sink, policy)
        gate.call(Request("GET", server.url, {}), action="bars")
        with pytest.raises(GantryError) as raised:
            gate.call(Request("GET", server.url, {}), action="bars")
        assert len(server.requests) == len(sink.events) == 1
    assert raised.value.code is ErrorCode.PROVIDER_RATE_LIMITED
    assert raised.value.facts["attempts"] == 0


def test_retries_take_turns_too_and_the_failure_is_reported_when_there_is_none() -> None:
    sink = KeptUsage()
    policy = CallPolicy(deadline_s=1, calls_per_minute=1, burst=1, backoff_s=0.01)
    with Speaker(status(500)) as server:
        with pytest.raises(GantryError) as raised:
            make_gate(sink, policy).call(Request("GET", server.url, {}), action="bars")
        assert len(server.requests) == len(sink.events) == 1
    assert raised.value.code is ErrorCode.PROVIDER_BAD_RESPONSE


def test_calls_from_many_threads_leave_one_row_for_each_request_the_server_saw() -> None:
    sink = KeptUsage()
    answers = [status(500) if number % 3 == 0 else status(200, b"bars") for number in range(60)]
    with Speaker(*answers, status(200, b"bars")) as server:
        gate = make_gate(sink, CallPolicy(attempts=10, backoff_s=0.01, calls_per_minute=60_000, burst=100))

        def once(_: int) -> bytes:
            return gate.call(Request("GET", server.url, {}), action="bars").body

        with ThreadPoolExecutor(16) as threads:
            assert list(threads.map(once, range(60))) == [b"bars"] * 60
        assert len(server.requests) == len(sink.events) == 80
    assert sum(event.status is CallStatus.OK for event in sink.events) == 60


ENDINGS: dict[str, Answer] = {
    "ok": status(200, b"bars"),
    "refused": status(403, SECRET.encode()),
    "limited": status(429, SECRET.encode(), Retry_After="60"),
    "failed": status(500, SECRET.encode()),
    "redirected": status(302, Location=f"https://elsewhere.example/?apiKey={SECRET}"),
    "cut": say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + SECRET.encode()[:5]),
    "headers that can't be read": say(b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n"),
    "no http": say(SECRET.encode() + b"\r\n"),
    "silent": silence,
}
REACHED: dict[str, Callable[[str], str]] = {
    "here": lambda url: f"{url}?apiKey={SECRET}",
    "nowhere": lambda _url: f"http://nobody.invalid/bars?apiKey={SECRET}",
    "by no scheme": lambda url: url.replace("http:", "carrier:") + f"?apiKey={SECRET}",
    "by a broken url": lambda _url: f"http://[half/bars?apiKey={SECRET}",
    "without tls": lambda url: url.replace("http:", "https:") + f"?apiKey={SECRET}",
}


def reported(sink: KeptUsage, error: BaseException | None) -> str:
    chain: list[str] = []
    while error is not None:
        chain += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return repr(sink.events) + "".join(chain)


@pytest.mark.parametrize("reach", REACHED.values(), ids=REACHED.keys())
@pytest.mark.parametrize("answer", ENDINGS.values(), ids=ENDINGS.keys())
def test_no_message_row_log_or_repr_tells_a_key(
    answer: Answer, reach: Callable[[str], str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sink = KeptUsage()
    error: BaseException | None = None
    with Speaker(answer) as server:
        request = Request("POST", reach(server.url), {"Authorization": SECRET}, {"key": SECRET}, [("key", SECRET)])
        try:
            make_gate(sink).call(request, action="bars")
        except GantryError as problem:
            error = problem
    assert sink.events
    assert SECRET not in reported(sink, error) + caplog.text + repr(request)


@pytest.mark.parametrize("key", [f"{SECRET}\n", f"{SECRET}\r\nX: y", f"{SECRET}\u2026"])
def test_a_key_that_no_header_can_hold_is_an_invalid_environment_and_stays_secret(key: str) -> None:
    sink = KeptUsage()
    with Speaker(status(200)) as server:
        with pytest.raises(GantryError) as raised:
            make_gate(sink).call(Request("GET", server.url, {"Authorization": key}), action="bars")
        assert server.requests == []
    assert raised.value.code is ErrorCode.ENVIRONMENT_INVALID
    assert [event.error_code for event in sink.events] == ["ENVIRONMENT_INVALID"]
    assert SECRET not in reported(sink, raised.value)


def test_a_sink_that_fails_is_not_passed_over() -> None:
    class Full:
        def record(self, event: UsageEvent) -> None:
            raise OSError(f"no space left for {event.action}")

    with Speaker(status(200)) as server, pytest.raises(OSError, match="no space"):
        ProviderGate("vendor", QUICK, Full(), Limiter(None)).call(Request("GET", server.url, {}), action="bars")
