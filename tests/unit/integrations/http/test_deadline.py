"""A call ends at its deadline, whatever the other side does."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import CallStatus
from integrations.http.gate import ProviderGate, Request
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from tests.fakes.speaker import Answer, Speaker, drip, silence, status
from tests.fakes.usage import KeptUsage

DEADLINE_S = 0.5
# Between the deadline and its test there are only our own threads, on a machine that may be busy.
SLACK_S = 1.0

SLOW: dict[str, Answer] = {
    "silence": silence,
    "drips its status line": drip(b"HTTP/1.1 2", b"0"),
    "drips one header": drip(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
    "drips headers": drip(b"HTTP/1.1 200 OK\r\n", b"X-More: a\r\n", every_s=0.1),
    "drips interim answers": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "drips a body of known length": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a"),
    "drips chunks": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "drips a body without length": drip(b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
    "falls silent in the body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", b"", every_s=9),
}


def make_gate(sink: KeptUsage, policy: CallPolicy) -> ProviderGate:
    return ProviderGate("vendor", policy, sink, Limiter(None))


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW.keys())
def test_a_slow_server_is_given_up_at_the_deadline(answer: Answer) -> None:
    sink = KeptUsage()
    with Speaker(answer) as server:
        started = time.monotonic()
        with pytest.raises(GantryError) as raised:
            make_gate(sink, CallPolicy(deadline_s=DEADLINE_S)).call(Request("GET", server.url, {}), action="bars")
        took_s = time.monotonic() - started
    assert raised.value.code is ErrorCode.PROVIDER_TIMEOUT
    assert DEADLINE_S - 0.05 <= took_s < DEADLINE_S + SLACK_S
    assert [(event.status, event.error_code) for event in sink.events] == [(CallStatus.ERROR, "PROVIDER_TIMEOUT")]


def test_a_secure_connection_that_is_never_agreed_on_ends_with_the_limit_on_connecting() -> None:
    sink = KeptUsage()
    policy = CallPolicy(deadline_s=10, connect_s=0.2, attempts=1)
    with Speaker(silence) as server:
        started = time.monotonic()
        with pytest.raises(GantryError) as raised:
            make_gate(sink, policy).call(Request("GET", server.url.replace("http:", "https:"), {}), action="bars")
        took_s = time.monotonic() - started
    assert raised.value.code is ErrorCode.PROVIDER_TIMEOUT
    assert took_s < 0.2 + SLACK_S


@contextmanager
def blackhole() -> Iterator[str]:
    """A port whose queue is full, so that the kernel answers no further connection at all."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        for sock in waiting:
            sock.setblocking(False)
            with suppress(BlockingIOError):
                sock.connect(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/bars"
        for sock in waiting:
            sock.close()


def test_a_host_that_swallows_everything_is_given_up_after_the_limit_on_connecting_each_time() -> None:
    sink = KeptUsage()
    policy = CallPolicy(deadline_s=10, connect_s=0.2, attempts=2, backoff_s=0.01)
    with blackhole() as url:
        started = time.monotonic()
        with pytest.raises(GantryError) as raised:
            make_gate(sink, policy).call(Request("GET", url, {}), action="bars")
        took_s = time.monotonic() - started
    assert raised.value.code is ErrorCode.PROVIDER_TIMEOUT
    assert "can't be reached: it didn't answer in time" in raised.value.message
    assert 0.4 <= took_s < 0.4 + SLACK_S
    assert [event.error_code for event in sink.events] == ["PROVIDER_TIMEOUT"] * 2


def test_the_deadline_covers_all_attempts_and_waits_together() -> None:
    sink = KeptUsage()
    policy = CallPolicy(deadline_s=DEADLINE_S, attempts=50, backoff_s=0.05)
    with Speaker(status(503)) as server:
        started = time.monotonic()
        with pytest.raises(GantryError) as raised:
            make_gate(sink, policy).call(Request("GET", server.url, {}), action="bars")
        took_s = time.monotonic() - started
        assert len(server.requests) == len(sink.events) > 1
    assert raised.value.code is ErrorCode.PROVIDER_BAD_RESPONSE
    assert took_s < DEADLINE_S + SLACK_S


def test_a_retry_that_meets_silence_ends_at_the_deadline() -> None:
    sink = KeptUsage()
    policy = CallPolicy(deadline_s=DEADLINE_S, backoff_s=0.01)
    with Speaker(status(500), silence) as server:
        started = time.monotonic()
        with pytest.raises(GantryError) as raised:
            make_gate(sink, policy).call(Request("GET", server.url, {}), action="bars")
        took_s = time.monotonic() - started
    assert raised.value.code is ErrorCode.PROVIDER_TIMEOUT
    assert took_s < DEADLINE_S + SLACK_S
    assert [event.error_code for event in sink.events] == ["PROVIDER_BAD_RESPONSE", "PROVIDER_TIMEOUT"]


def test_a_call_may_have_a_deadline_of_its_own() -> None:
    with Speaker(silence) as server:
        started = time.monotonic()
        with pytest.raises(GantryError):
            make_gate(KeptUsage(), CallPolicy()).call(Request("GET", server.url, {}), action="bars", deadline_s=0.2)
        assert time.monotonic() - started < 0.2 + SLACK_S


def test_a_connection_kept_open_is_watched_again() -> None:
    sink = KeptUsage()
    gate = make_gate(sink, CallPolicy(deadline_s=DEADLINE_S))
    with Speaker(status(200, b"one"), drip(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a")) as server:
        assert gate.call(Request("GET", server.url, {}), action="bars").body == b"one"
        with pytest.raises(GantryError) as raised:
            gate.call(Request("GET", server.url, {}), action="bars")
        assert server.connections == 1
    assert raised.value.code is ErrorCode.PROVIDER_TIMEOUT
