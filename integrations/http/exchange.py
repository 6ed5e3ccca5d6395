"""One request sent, one answer read in full, or the reason why not."""

import time
import zlib
from typing import Final

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError

from core.clock import utc_now
from integrations.http.failures import (
    Failure,
    of_coding,
    of_exception,
    of_size,
    of_status,
    of_time_up,
    of_unstated_length,
)
from integrations.http.gunzip import gunzipped
from integrations.http.messages import Reply, Request
from integrations.http.watch import Watch, watching

_CHUNK_BYTES: Final = 2**16
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_CODINGS: Final = _GZIP | {"identity", ""}


def exchange(
    pool: PoolManager, request: Request, *, limit_s: float, connect_s: float, max_bytes: int
) -> Reply | Failure:
    """Send the request once and return within limit_s seconds; see `failures` for what is not a reply."""
    with watching(limit_s) as watch:
        started = time.monotonic()
        try:
            answer = _send(pool, request, watch, connect_s)
            try:
                outcome = _read(answer, max_bytes, started)
            finally:
                answer.close()  # a connection whose answer was read to its end is back in the pool by now
        except (HTTPError, ValueError, EOFError, zlib.error) as problem:
            outcome = of_exception(problem)
        # First, as a shut socket looks like any failure, and like the end of a body of unstated length.
        return of_time_up(limit_s) if watch.fired else outcome


def _send(pool: PoolManager, request: Request, watch: Watch, connect_s: float) -> BaseHTTPResponse:
    left_s = max(0.001, watch.left_s())
    return pool.urlopen(
        request.method,
        request.target(),
        redirect=False,
        headers=request.sent_headers(),
        body=request.sent_body(),
        retries=False,
        timeout=Timeout(connect=min(connect_s, left_s), read=left_s),
        preload_content=False,
    )


def _read(answer: BaseHTTPResponse, max_bytes: int, started: float) -> Reply | Failure:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    failed = of_status(answer.status, headers, utc_now())
    if failed is not None:
        return failed
    unstated = answer.status < 300 and answer.length_remaining is None and not answer.chunked
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in _CODINGS:
        return of_coding()
    sent = answer.stream(_CHUNK_BYTES, decode_content=False)
    parts: list[bytes] = []
    size = 0
    for part in gunzipped(sent) if coding in _GZIP else sent:
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            return of_size(max_bytes)
    if unstated:
        return of_unstated_length()
    return Reply(answer.status, headers, b"".join(parts), round((time.monotonic() - started) * 1000))
