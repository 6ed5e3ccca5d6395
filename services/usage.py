"""Usage of providers: one row for every attempt at a call, written as it ends, whatever comes of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.errors import GantryError, Kind
from core.ids import new_id
from integrations.ports import UsageEvent
from sql.engine import Transactions
from sql.tables.usage import IntegrationUsage

PATIENCE_S: Final = 10.0
_run_id: ContextVar[str | None] = ContextVar("gantry_run_id", default=None)


@contextmanager
def calling_for(run_id: str) -> Iterator[None]:
    """Let every call in the block be noted with this run of Dagster's."""
    token = _run_id.set(run_id)
    try:
        yield
    finally:
        _run_id.reset(token)


@dataclass(frozen=True, slots=True)
class UsageLog:
    """The `UsageSink` of the database."""

    tx: Transactions

    def record(self, event: UsageEvent) -> None:
        """Write one row, in a transaction of its own: what is rolled back later was called all the same.

        A database that is busy or away is asked again for some seconds: the answer was paid for.
        """
        served = event.metadata.get("bot_ids")
        only = served[0] if isinstance(served, list | tuple) and len(served) == 1 else None
        ends_at = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._write(event, only)
            except GantryError as error:
                if error.kind is not Kind.UNAVAILABLE or time.monotonic() > ends_at:
                    raise
                time.sleep(0.2)

    def _write(self, event: UsageEvent, only: object) -> None:
        with self.tx() as session:
            session.add(
                IntegrationUsage(
                    id=new_id(),
                    provider_id=event.provider_id,
                    bot_id=UUID(str(only)) if only else None,
                    run_id=_run_id.get(),
                    action=event.action,
                    status=event.status,
                    latency_ms=event.latency_ms,
                    error_code=event.error_code,
                    trace_id=event.trace_id,
                    usage_metadata=dict(event.metadata),
                )
            )
