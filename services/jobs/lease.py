"""Leases: a worker renews its right to a job while it computes, and stops writing once it may have lost it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from core.errors import ErrorCode, GantryError, Kind
from core.log import get_logger
from services.jobs.beat import Beat
from sql.queries.jobs import lease as lease_queries

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


class LeaseKeeper(Beat):
    """A beat that renews leases, on its own autocommit connection, while the block computes.

    A renewal that misses a job means that it was taken away: nothing of it may be written any more. So it is with
    all of them when renewals fail for too long, whatever the reason: by the database's clock they may be over.
    """

    def __init__(self, engine: Engine, held: Mapping[UUID, UUID], terms: LeaseTerms) -> None:
        """Hold leases: tokens by job."""
        every_s = terms.heartbeat_s
        super().__init__(self._renew, name="leases", every_s=every_s, join_s=every_s + RENEWAL_TIMEOUT_MS / 1000)
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._held = dict(held)
        self._terms = terms
        self.lost: set[UUID] = set()
        self.progress: float | None = None  # share of the work done, sent with the next renewal
        self.renewals = 0
        self._renewed_at = time.monotonic()

    def may_write(self, job_id: UUID) -> bool:
        """Whether the job is, for all this process knows, still its own."""
        return job_id not in self.lost and time.monotonic() - self._renewed_at <= self._terms.writes_stop_after_s

    def check(self, job_id: UUID) -> None:
        """Let the holder of the lease go on.

        Raises:
            GantryError: HEARTBEAT_TIMEOUT when the lease is, or may be, lost.

        """
        if not self.may_write(job_id):
            raise lease_lost(job_id)

    def _renew(self) -> bool:
        """Renew once; return whether a lease is left to be renewed."""
        began = time.monotonic()
        try:
            with self._engine.connect() as connection:
                kept = lease_queries.renew(
                    connection,
                    self._held,
                    lease_s=self._terms.lease_s,
                    timeout_ms=RENEWAL_TIMEOUT_MS,
                    progress=self.progress,
                )
        except (SQLAlchemyError, GantryError):
            get_logger("heartbeat").warning("renewal_failed", jobs=len(self._held), exc_info=True)
            return True
        self.lost |= self._held.keys() - kept
        self._held = {job_id: token for job_id, token in self._held.items() if job_id in kept}
        self._renewed_at = began
        self.renewals += 1
        return bool(self._held)


def lease_lost(job_id: UUID) -> GantryError:
    """Say that a job is no longer this worker's."""
    return GantryError(
        ErrorCode.HEARTBEAT_TIMEOUT,
        f"The lease on job {job_id} was lost; nothing was written.",
        fix="Nothing to do: a retry is queued while attempts are left.",
        kind=Kind.CONFLICT,
        facts={"job_id": str(job_id)},
    )
