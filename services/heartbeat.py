"""Leases: a worker renews its right to a job while it computes, and stops writing once it may have lost it."""

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from core.errors import ErrorCode, GantryError, Kind
from core.log import get_logger
from sql.queries import leases

RENEWAL_TIMEOUT_MS: Final = 3_000


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """How long a lease lasts without a heartbeat, and how often one is sent, in seconds."""

    lease_s: float = 30.0
    heartbeat_s: float = 10.0

    @property
    def writes_stop_after_s(self) -> float:
        """Seconds, by this process's monotonic clock, after the last good renewal began: two thirds of the lease."""
        return self.lease_s * 2 / 3


class LeaseKeeper:
    """Renews one job's lease from a thread, on its own autocommit connection, while the block computes.

    A renewal that changes no row means that the job was taken away: nothing may be written any more. So it is
    when renewals fail for too long, whatever the reason: by the database's clock the lease may be over.
    """

    def __init__(self, engine: Engine, job_id: UUID, token: UUID, terms: LeaseTerms) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._job_id = job_id
        self._token = token
        self._terms = terms
        self._stop = threading.Event()
        self.ended = threading.Event()  # set once the lease was found to be someone else's
        self.renewals = 0
        self._renewed_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"lease-{job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=self._terms.heartbeat_s + RENEWAL_TIMEOUT_MS / 1000)

    def check(self) -> None:
        """Let the holder of the lease go on.

        Raises:
            GantryError: HEARTBEAT_TIMEOUT when the lease is, or may be, lost.

        """
        if self.ended.is_set() or time.monotonic() - self._renewed_at > self._terms.writes_stop_after_s:
            raise lease_lost(self._job_id)

    def _run(self) -> None:
        while not self._stop.wait(self._terms.heartbeat_s):
            began = time.monotonic()
            try:
                with self._engine.connect() as connection:
                    kept = leases.renew(
                        connection,
                        self._job_id,
                        self._token,
                        lease_s=self._terms.lease_s,
                        timeout_ms=RENEWAL_TIMEOUT_MS,
                    )
            except (SQLAlchemyError, GantryError):
                get_logger("heartbeat").warning("renewal_failed", job_id=str(self._job_id), exc_info=True)
                continue
            if not kept:
                self.ended.set()
                return
            self._renewed_at = began
            self.renewals += 1


def lease_lost(job_id: UUID) -> GantryError:
    """Say that a job is no longer this worker's."""
    return GantryError(
        ErrorCode.HEARTBEAT_TIMEOUT,
        f"The lease on job {job_id} was lost; nothing was written.",
        fix="Nothing to do: a retry is queued while attempts are left.",
        kind=Kind.CONFLICT,
        facts={"job_id": str(job_id)},
    )
