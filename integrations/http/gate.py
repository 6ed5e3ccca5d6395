"""The gate that every call to a provider passes: in time, in turn, tried again where that helps, accounted for."""

import random
import time
from collections.abc import Callable
from dataclasses import replace

from core.errors import ErrorCode, GantryError
from core.trace import current_trace_id
from fleet.closed_sets import CallStatus
from integrations.http.connections import make_pool
from integrations.http.exchange import exchange
from integrations.http.failures import Failure
from integrations.http.limiter import Limiter
from integrations.http.messages import Reply, Request
from integrations.http.policy import CallPolicy
from integrations.http.serving import bots_served
from integrations.ports import UsageEvent, UsageSink

__all__ = ["ProviderGate", "Reply", "Request"]


def _accept(_reply: Reply) -> None:
    pass


class ProviderGate:
    """The way out to one provider; threads may share it.

    sink: gets one event for each attempt. ca_file: the only trusted roots of TLS, else the system's.
    """

    def __init__(
        self,
        provider_id: str,
        policy: CallPolicy,
        sink: UsageSink,
        limiter: Limiter,
        *,
        ca_file: str | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.provider_id = provider_id
        self._policy = policy
        self._sink = sink
        self._limiter = limiter
        self._pool = make_pool(ca_file)
        self._rng = rng or random.Random()  # noqa: S311 -- spreads retries, hides nothing

    def call(
        self,
        request: Request,
        *,
        action: str,
        examine: Callable[[Reply], None] = _accept,
        deadline_s: float | None = None,
    ) -> Reply:
        """Return the answer: 2xx, or a 4xx other than 408 and 429. deadline_s: of the whole call, else the policy's.

        examine: judges the reply within the attempt; a GantryError it raises goes up as it is, without another attempt.

        Raises:
            GantryError: PROVIDER_TIMEOUT (too slow, or not to be reached), PROVIDER_RATE_LIMITED (429, a Retry-After
                beyond the deadline, or no turn of our own in time), PROVIDER_BAD_RESPONSE (other 5xx, redirects, a
                broken or too large body), ENVIRONMENT_INVALID (a URL or header that can't be sent).

        """
        ends_at = time.monotonic() + (self._policy.deadline_s if deadline_s is None else deadline_s)
        failed = Failure(ErrorCode.PROVIDER_RATE_LIMITED, "can't be called again before the deadline")
        number = 0
        while self._turn(ends_at):
            number += 1
            outcome = self._attempt(request, action, examine, number, ends_at)
            if isinstance(outcome, Reply):
                return outcome
            failed = outcome
            wait_s = self._wait_s(failed, number)
            if wait_s is None or time.monotonic() + wait_s >= ends_at:
                break
            time.sleep(wait_s)
        if failed.retry_after_s is not None and time.monotonic() + failed.retry_after_s >= ends_at:
            failed = replace(failed, code=ErrorCode.PROVIDER_RATE_LIMITED)
        raise failed.error(self.provider_id, action, number)

    def _turn(self, ends_at: float) -> bool:
        policy, left_s = self._policy, ends_at - time.monotonic()
        return self._limiter.acquire(self.provider_id, policy.calls_per_minute, policy.burst, left_s)

    def _wait_s(self, failed: Failure, number: int) -> float | None:
        if not failed.retry or number >= self._policy.attempts:
            return None
        backoff_s = self._policy.backoff_s * 2.0 ** (number - 1) * self._rng.uniform(0.8, 1.2)
        return max(backoff_s, failed.retry_after_s or 0)

    def _attempt(
        self, request: Request, action: str, examine: Callable[[Reply], None], number: int, ends_at: float
    ) -> Reply | Failure:
        metadata: dict[str, object] = {"attempt": number}
        if bots := bots_served():
            metadata["bot_ids"] = bots
        code: ErrorCode | None = ErrorCode.INTERNAL  # of a bug of ours, or of an interrupt
        started, took_s = time.monotonic(), None
        try:
            outcome = self._exchange(request, ends_at - started)
            took_s = time.monotonic() - started
            metadata |= _seen(outcome)
            if isinstance(outcome, Failure):
                code = outcome.code
                return outcome
            examine(outcome)
            # A refusal that nobody objected to is still no use of the provider.
            code = None if outcome.status < 400 else ErrorCode.PROVIDER_BAD_RESPONSE
        except GantryError as problem:
            code = problem.code
            raise
        else:
            return outcome
        finally:
            latency_ms = round((time.monotonic() - started if took_s is None else took_s) * 1000)
            status = CallStatus.OK if code is None else CallStatus.ERROR
            event = UsageEvent(self.provider_id, action, status, latency_ms, code, current_trace_id(), metadata)
            self._sink.record(event)

    def _exchange(self, request: Request, left_s: float) -> Reply | Failure:
        policy, limit_s = self._policy, max(0.001, left_s)
        return exchange(self._pool, request, limit_s=limit_s, connect_s=policy.connect_s, max_bytes=policy.max_bytes)


def _seen(outcome: Reply | Failure) -> dict[str, object]:
    if isinstance(outcome, Reply):
        return {"http_status": outcome.status, "bytes": len(outcome.body)}
    seen = {"http_status": outcome.http_status, "retry_after_s": outcome.retry_after_s}
    return {name: value for name, value in seen.items() if value is not None}
