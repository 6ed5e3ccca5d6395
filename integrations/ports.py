"""What the integrations take and give: sources of bars, and the record of every call on the wire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from core.errors import ErrorCode, GantryError, Kind
from fleet.closed_sets import CallStatus
from integrations.files.types import FileBars

__all__ = [
    "BadPayload",
    "BarsSource",
    "CallStatus",
    "FetchedMonth",
    "Proposal",
    "ProposalRequest",
    "ProposalSource",
    "Quote",
    "UsageEvent",
    "UsageSink",
]


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One attempt on the wire.

    latency_ms: from the attempt's start to its end, 0 or more. error_code: None when status is OK.
    metadata: JSON values (attempt, http_status, bytes, retry_after_s, bot_ids ...), never a secret or a query string.
    """

    provider_id: str
    action: str
    status: CallStatus
    latency_ms: int
    error_code: str | None
    trace_id: str
    metadata: Mapping[str, object]


class UsageSink(Protocol):
    """Where attempts are accounted for; called from any thread, once for each attempt."""

    def record(self, event: UsageEvent) -> None:
        """Keep the event."""
        ...


class BadPayload(GantryError):  # noqa: N818 -- named for what it carries
    """What a vendor sent and we refused, with the bytes themselves, so that they can be put aside.

    payload_name: a plain file name, such as `ES-2024-01.dbn.zst`.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        payload: bytes,
        payload_name: str,
        fix: str,
        kind: Kind = Kind.INVALID,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code, message, fix=fix, kind=kind, facts=facts)
        self.payload = payload
        self.payload_name = payload_name


@dataclass(frozen=True, slots=True, eq=False)
class FetchedMonth:
    """One symbol-month, as the vendor sent it and as it was parsed.

    month: `YYYY-MM`, UTC. payload_name: such as `ES-2024-01.dbn.zst`. details: JSON values.
    """

    provider: str
    symbol: str
    month: str
    bars: FileBars
    payload: bytes
    payload_name: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quote:
    """What a fetch would cost.

    cost_usd: None when the vendor charges by subscription. records: None when it can't say beforehand.
    """

    provider: str
    cost_usd: Decimal | None
    records: int | None


class BarsSource(Protocol):
    """A vendor of one-minute bars.

    Both calls raise GantryError: PROVIDER_TIMEOUT, PROVIDER_RATE_LIMITED, PROVIDER_BAD_RESPONSE,
    PROVIDER_ENTITLEMENT, INTEGRATION_VERIFY_FAILED (the key was refused) or DATA_UNAVAILABLE; a fetch
    DATA_QUALITY_FAILED too. What was received and refused comes along as a `BadPayload`.
    """

    @property
    def provider_id(self) -> str:
        """The provider's id, such as `databento`."""
        ...

    @property
    def parallel(self) -> int:
        """Months to be fetched at once, 1 or more."""
        ...

    def quote(self, symbol: str, months: Sequence[str]) -> Quote:
        """What these months (`YYYY-MM`) of the symbol would cost."""
        ...

    def fetch_month(self, symbol: str, month: str, *, now: datetime) -> FetchedMonth:
        """One month of one-minute bars (UTC open stamps); a stamp after `now` is refused."""
        ...


@dataclass(frozen=True, slots=True)
class ProposalRequest:
    """What a bot trades, and how it does so now. strategies: the names that may be proposed."""

    symbol: str
    timeframe: str
    strategy: str
    params: Mapping[str, object]
    strategies: Sequence[str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A strategy with parameters that may do better, and why; it is tried like any other candidate."""

    strategy: str
    params: Mapping[str, object]
    why: str


class ProposalSource(Protocol):
    """Somebody who proposes candidates for an evolution, such as a language model; what it says is never trusted."""

    @property
    def provider_id(self) -> str:
        """Who it is, such as `anthropic`."""
        ...

    def propose(self, request: ProposalRequest, *, most: int) -> Sequence[Proposal]:
        """Return up to `most` proposals.

        Raises:
            GantryError: as a `BarsSource` does; the evolution then goes on without proposals.

        """
        ...
