"""The one error of the domain and its closed set of codes.

Every failure that a user, an operator or a program may meet is a `GantryError`: a stable code, a
sentence that says what happened, and a sentence that says what to do. `kind` is what an edge maps to
an HTTP status or to an exit code; nothing below the edges knows about either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What sort of failure it is, for the edges."""

    INVALID = "invalid"
    DENIED = "denied"
    UNAUTHENTICATED = "unauthenticated"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    UNAVAILABLE = "unavailable"
    NOT_IMPLEMENTED = "not_implemented"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    INTERNAL = "internal"


class ErrorCode(StrEnum):
    """Closed set of error codes; their meanings stand in `core.error_catalogue`."""

    INTEGRATION_KEY_MISSING = "INTEGRATION_KEY_MISSING"
    INTEGRATION_VERIFY_FAILED = "INTEGRATION_VERIFY_FAILED"
    PROVIDER_TIMEOUT = "PROVIDER_TIMEOUT"
    PROVIDER_RATE_LIMITED = "PROVIDER_RATE_LIMITED"
    PROVIDER_BAD_RESPONSE = "PROVIDER_BAD_RESPONSE"
    PROVIDER_ENTITLEMENT = "PROVIDER_ENTITLEMENT"
    DATA_UNAVAILABLE = "DATA_UNAVAILABLE"
    DATA_QUALITY_FAILED = "DATA_QUALITY_FAILED"
    EXECUTION_BROKER_UNAVAILABLE = "EXECUTION_BROKER_UNAVAILABLE"
    LIVE_TRADING_DISABLED = "LIVE_TRADING_DISABLED"
    RISK_ENGINE_DISCONNECTED = "RISK_ENGINE_DISCONNECTED"
    CIRCUIT_BREAKER_OPEN = "CIRCUIT_BREAKER_OPEN"
    STAGE_LOCKED = "STAGE_LOCKED"
    PROMOTION_MANUAL = "PROMOTION_MANUAL"
    GATE_NOT_MET = "GATE_NOT_MET"
    HEARTBEAT_TIMEOUT = "HEARTBEAT_TIMEOUT"
    JOB_TIMEOUT = "JOB_TIMEOUT"
    RUN_FAILED = "RUN_FAILED"
    STRATEGY_ERROR = "STRATEGY_ERROR"
    LOOK_AHEAD = "LOOK_AHEAD"
    CONFLICT = "CONFLICT"
    NOT_FOUND = "NOT_FOUND"
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    TWO_FACTOR_REQUIRED = "TWO_FACTOR_REQUIRED"
    TWO_FACTOR_INVALID = "TWO_FACTOR_INVALID"
    DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE"
    ENVIRONMENT_INVALID = "ENVIRONMENT_INVALID"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field that is wrong: its path, a code and a sentence."""

    field: str
    code: str
    message: str


class GantryError(Exception):
    """A failure with a stable code, a message and a suggested fix.

    `facts` are observed values (small, JSON-ready, never secrets); `details` name single fields.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        fix: str,
        kind: Kind = Kind.INVALID,
        facts: Mapping[str, object] | None = None,
        details: tuple[FieldProblem, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
        self.kind = kind
        self.facts: dict[str, object] = dict(facts or {})
        self.details = details

    def __str__(self) -> str:
        return f"{self.code}: {self.message} Fix: {self.fix}"


def invalid(message: str, *, fix: str, field: str = "", facts: Mapping[str, object] | None = None) -> GantryError:
    """Bad input: VALIDATION_FAILED, naming the field where there is one."""
    details = (FieldProblem(field, "invalid", message),) if field else ()
    return GantryError(ErrorCode.VALIDATION_FAILED, message, fix=fix, facts=facts, details=details)


def not_found(what: str, ident: object, *, fix: str) -> GantryError:
    """Nothing under that name: NOT_FOUND."""
    return GantryError(ErrorCode.NOT_FOUND, f"There is no {what} {ident}.", fix=fix, kind=Kind.NOT_FOUND)


def data_unavailable(message: str, *, fix: str, facts: Mapping[str, object] | None = None) -> GantryError:
    """The requested bars don't exist: DATA_UNAVAILABLE."""
    return GantryError(ErrorCode.DATA_UNAVAILABLE, message, fix=fix, kind=Kind.UNAVAILABLE, facts=facts)


def bad_data(message: str, *, fix: str, facts: Mapping[str, object] | None = None) -> GantryError:
    """Bars that may not be kept: DATA_QUALITY_FAILED."""
    return GantryError(ErrorCode.DATA_QUALITY_FAILED, message, fix=fix, facts=facts)
