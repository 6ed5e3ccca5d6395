"""A body arrives whole and decoded, or not at all."""

import gzip
import re
from pathlib import Path

import pytest

from core.errors import ErrorCode, GantryError
from integrations.http.gate import ProviderGate, Reply, Request
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from tests.fakes.speaker import Answer, Speaker, drip, say, status
from tests.fakes.usage import KeptUsage
from tests.standins.certificate import own_certificate

QUICK = CallPolicy(deadline_s=10, backoff_s=0.01)
GET_200 = b"HTTP/1.1 200 OK\r\n"
CHUNKED = GET_200 + b"Transfer-Encoding: chunked\r\n\r\n"
ZIPPED = gzip.compress(b"bars")

BROKEN: dict[str, Answer] = {
    "cut before its stated length": say(GET_200 + b"Content-Length: 10\r\n\r\n12345"),
    "cut within a chunk": say(CHUNKED + b"a\r\n12345"),
    "cut between chunks": say(CHUNKED + b"5\r\n12345\r\n"),
    "cut behind a header": say(GET_200 + b"Content-Type: text/csv\r\n"),
    "without a length, closed": say(GET_200 + b"\r\nbars"),
    "gzip with something behind it": status(200, ZIPPED + b"more", Content_Encoding="gzip"),
    "a chunk's length that is no number": say(CHUNKED + b"zz\r\n12345\r\n0\r\n\r\n"),
    "cut in the headers": say(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "no HTTP at all": say(b"220 mail.example ESMTP\r\n"),
    "a header without end": say(GET_200 + b"X: " + b"a" * 70_000),
    "gzip that is none": status(200, b"bars", Content_Encoding="gzip"),
    "gzip cut inside a whole body": status(200, ZIPPED[:-6], Content_Encoding="gzip"),
}


def fetch(url: str, sink: KeptUsage, policy: CallPolicy = QUICK) -> Reply:
    return ProviderGate("vendor", policy, sink, Limiter(None)).call(Request("GET", url, {}), action="bars")


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_answer_is_tried_again_and_never_handed_on(answer: Answer) -> None:
    sink = KeptUsage()
    with Speaker(answer) as server:
        with pytest.raises(GantryError) as raised:
            fetch(server.url, sink)
        assert len(server.requests) == len(sink.events) == 3
    assert raised.value.code is ErrorCode.PROVIDER_BAD_RESPONSE
    assert {event.error_code for event in sink.events} == {"PROVIDER_BAD_RESPONSE"}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_the_try_after_a_broken_answer_heals(answer: Answer) -> None:
    sink = KeptUsage()
    with Speaker(answer, status(200, b"bars")) as server:
        assert fetch(server.url, sink).body == b"bars"
    assert [event.error_code for event in sink.events] == ["PROVIDER_BAD_RESPONSE", None]


WHOLE: dict[str, Answer] = {
    "stated length": status(200, b"bars"),
    "chunks": say(CHUNKED + b"2\r\nba\r\n2\r\nrs\r\n0\r\n\r\n"),
    "gzip in two members": status(200, gzip.compress(b"ba") + gzip.compress(b"rs"), Content_Encoding="gzip"),
    "gzip": status(200, ZIPPED, Content_Encoding="gzip"),
    "gzip in chunks": say(
        GET_200 + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"%x\r\n" % len(ZIPPED) + ZIPPED + b"\r\n0\r\n\r\n",
    ),
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE.keys())
def test_a_whole_body_is_handed_on_decoded_and_counted(answer: Answer) -> None:
    sink = KeptUsage()
    with Speaker(answer) as server:
        assert fetch(server.url, sink).body == b"bars"
    assert sink.events[0].metadata == {"attempt": 1, "http_status": 200, "bytes": 4}


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_body_above_the_limit_is_refused_without_another_attempt(encoding: str) -> None:
    body = b"0" * 2_000_001
    sink = KeptUsage()
    sent = gzip.compress(body) if encoding == "gzip" else body
    with Speaker(status(200, sent, Content_Encoding=encoding)) as server:
        with pytest.raises(GantryError) as raised:
            fetch(server.url, sink, CallPolicy(max_bytes=2_000_000))
        assert fetch(server.url, sink, CallPolicy(max_bytes=2_000_001)).body == body
    assert raised.value.code is ErrorCode.PROVIDER_BAD_RESPONSE
    assert "2,000,000 bytes" in raised.value.message
    assert [event.error_code for event in sink.events] == ["PROVIDER_BAD_RESPONSE", None]


def test_a_coding_that_was_not_asked_for_is_refused_without_another_attempt() -> None:
    sink = KeptUsage()
    with Speaker(status(200, b"bars", Content_Encoding="br")) as server, pytest.raises(GantryError) as raised:
        fetch(server.url, sink)
    assert raised.value.code is ErrorCode.PROVIDER_BAD_RESPONSE
    assert len(sink.events) == 1


def test_an_empty_body_is_a_body() -> None:
    with Speaker(status(200, Content_Encoding="gzip"), say(b"HTTP/1.1 204 None\r\n\r\n")) as server:
        assert fetch(server.url, KeptUsage()).body == b""
        assert fetch(server.url, KeptUsage()).status == 204


def test_the_request_is_sent_as_it_was_asked_for() -> None:
    request = Request("POST", "", {"Authorization": "Basic x"}, form={"a": "1 2", "b": "ä"}, query=[("q", "ES.v.0")])
    with Speaker(status(200, X_Request_Id="7")) as server:
        asked = Request("POST", server.url + "?page=2", request.headers, request.form, request.query)
        reply = ProviderGate("vendor", QUICK, KeptUsage(), Limiter(None)).call(asked, action="bars")
        sent = server.requests[0]
    assert sent.startswith(b"POST /bars?page=2&q=ES.v.0 HTTP/1.1\r\n")
    assert re.search(rb"(?i)\r\nauthorization: Basic x\r\n", sent)
    assert re.search(rb"(?i)\r\ncontent-type: application/x-www-form-urlencoded\r\n", sent)
    assert sent.endswith(b"\r\n\r\na=1+2&b=%C3%A4")
    assert reply.headers["x-request-id"] == "7"


def test_connections_are_kept_open_between_calls() -> None:
    with Speaker(status(200, b"bars")) as server:
        gate = ProviderGate("vendor", QUICK, KeptUsage(), Limiter(None))
        for _ in range(5):
            gate.call(Request("GET", server.url, {}), action="bars")
        assert server.connections == 1


def test_a_server_is_trusted_by_the_file_of_roots_alone(tmp_path: Path) -> None:
    context, roots = own_certificate(tmp_path)
    sink = KeptUsage()
    with Speaker(status(200, b"bars"), tls=context) as server:
        trusting = ProviderGate("vendor", QUICK, sink, Limiter(None), ca_file=str(roots))
        assert trusting.call(Request("GET", server.url, {}), action="bars").body == b"bars"
        with pytest.raises(GantryError) as raised:
            fetch(server.url, sink)
    assert raised.value.code is ErrorCode.PROVIDER_BAD_RESPONSE
    assert "certificate" in raised.value.message
    assert [event.error_code for event in sink.events] == [None, "PROVIDER_BAD_RESPONSE"]


def test_a_drip_over_tls_is_cut_at_the_deadline(tmp_path: Path) -> None:
    context, roots = own_certificate(tmp_path)
    with Speaker(drip(GET_200 + b"Content-Length: 100000\r\n\r\n", b"a"), tls=context) as server:
        gate = ProviderGate("vendor", CallPolicy(deadline_s=0.5), KeptUsage(), Limiter(None), ca_file=str(roots))
        with pytest.raises(GantryError) as raised:
            gate.call(Request("GET", server.url, {}), action="bars")
    assert raised.value.code is ErrorCode.PROVIDER_TIMEOUT
