"""What can go wrong with an attempt, and what becomes of it."""

import email.utils
import math
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from urllib3 import exceptions
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)

from core.errors import ErrorCode, GantryError, Kind

_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_KINDS: Final = {ErrorCode.PROVIDER_RATE_LIMITED: Kind.RATE_LIMITED, ErrorCode.ENVIRONMENT_INVALID: Kind.INVALID}
_FIXES: Final = {
    ErrorCode.PROVIDER_TIMEOUT: "Check this machine's network and the provider's status page, then try again.",
    ErrorCode.PROVIDER_RATE_LIMITED: "Try again later, or send fewer calls at once.",
    ErrorCode.PROVIDER_BAD_RESPONSE: "Check the provider's status page and its base URL here, then try again.",
    ErrorCode.ENVIRONMENT_INVALID: "Check the provider's key and its base URL for stray characters.",
}
# The first that fits. A ValueError that is none of urllib3's comes from http.client, of a header it can't write.
_EXCEPTIONS: Final[tuple[tuple[type[Exception], ErrorCode, str], ...]] = (
    (LocationValueError, ErrorCode.ENVIRONMENT_INVALID, "has an invalid URL configured here"),
    (NameResolutionError, ErrorCode.PROVIDER_TIMEOUT, "can't be reached: the name of its host is unknown"),
    (NewConnectionError, ErrorCode.PROVIDER_TIMEOUT, "can't be reached: the connection was refused"),
    (ConnectTimeoutError, ErrorCode.PROVIDER_TIMEOUT, "can't be reached: it didn't answer in time"),
    (exceptions.TimeoutError, ErrorCode.PROVIDER_TIMEOUT, "didn't answer in time"),
    (zlib.error, ErrorCode.PROVIDER_BAD_RESPONSE, "sent a body that can't be decoded"),
    (EOFError, ErrorCode.PROVIDER_BAD_RESPONSE, "sent a body that can't be decoded"),
    (HTTPError, ErrorCode.PROVIDER_BAD_RESPONSE, "broke off its response, or sent one that is not HTTP"),
    (
        ValueError,
        ErrorCode.ENVIRONMENT_INVALID,
        "can't be called with this key or URL: it holds characters that a header can't have",
    ),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt failed. what: ends a sentence that begins with the provider's name; holds nothing secret.

    retry: whether another attempt may help. retry_after_s: the wait that the provider requested, zero or more.
    """

    code: ErrorCode
    what: str
    retry: bool = True
    http_status: int | None = None
    retry_after_s: float | None = None

    def error(self, provider_id: str, action: str, attempts: int) -> GantryError:
        """Return the error for the caller. attempts: made so far, this one with them."""
        facts: dict[str, object] = {"provider_id": provider_id, "action": action, "attempts": attempts}
        if self.http_status is not None:
            facts["http_status"] = self.http_status
        if self.retry_after_s is not None:
            facts["retry_after_s"] = self.retry_after_s
        return GantryError(
            self.code,
            f"{provider_id} {self.what} ({action}, attempt {attempts}).",
            fix=_FIXES[self.code],
            kind=_KINDS.get(self.code, Kind.UNAVAILABLE),
            facts=facts,
        )


def of_time_up(limit_s: float) -> Failure:
    """The attempt's time was up before the answer was whole."""
    return Failure(ErrorCode.PROVIDER_TIMEOUT, f"didn't answer in full within {limit_s:.3g} s")


def of_size(max_bytes: int) -> Failure:
    """The body is larger than allowed."""
    return Failure(ErrorCode.PROVIDER_BAD_RESPONSE, f"sent more than the {max_bytes:,} bytes allowed", retry=False)


def of_unstated_length() -> Failure:
    """The body's length is neither stated nor marked by chunks, so a cut can't be noticed."""
    return Failure(ErrorCode.PROVIDER_BAD_RESPONSE, "sent a body without its length, which may have been cut")


def of_coding() -> Failure:
    """The body is compressed in a way that wasn't requested."""
    return Failure(ErrorCode.PROVIDER_BAD_RESPONSE, "sent a body in a coding other than gzip", retry=False)


def of_status(status: int, headers: Mapping[str, str], now: datetime) -> Failure | None:
    """The failure that a status means by itself; None where the caller is to judge it (2xx, most of 4xx)."""
    if status < 300 or (400 <= status < 500 and status not in _RETRIED):
        return None
    code, what = ErrorCode.PROVIDER_BAD_RESPONSE, f"answered with status {status}"
    if status < 400:
        what += ", a redirect, which is not followed"
    elif status == 429:
        code = ErrorCode.PROVIDER_RATE_LIMITED
    elif status == 408:
        code = ErrorCode.PROVIDER_TIMEOUT
    retry = status in _RETRIED
    wait_s = retry_after_s(headers.get("retry-after"), now) if retry else None
    return Failure(code, what, retry=retry, http_status=status, retry_after_s=wait_s)


def of_exception(problem: Exception) -> Failure:
    """What was raised in sending or reading, without its text, which may quote the URL or a header."""
    if isinstance(problem, SSLError) and any(isinstance(cause, ssl.SSLCertVerificationError) for cause in problem.args):
        return Failure(ErrorCode.PROVIDER_BAD_RESPONSE, "showed a certificate that is not trusted here", retry=False)
    code, what = next((code, what) for kind, code, what in _EXCEPTIONS if isinstance(problem, kind))
    return Failure(code, what, retry=code is not ErrorCode.ENVIRONMENT_INVALID)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds to wait from a Retry-After header (RFC 9110 10.2.3: seconds or a date); None without a usable one."""
    text = (value or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            when = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
