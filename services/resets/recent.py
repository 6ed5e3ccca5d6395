"""Resets whose new baselines are, or should be, under way: what somebody may want to follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from fleet.closed_sets import MetricsScope
from fleet.resets import asks_for_baseline
from sql.queries.resets import recent as queries

RECENT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RecentReset:
    """A reset that asks for new baselines."""

    request_id: UUID
    reason_code: str
    actor: str


def backfill_id(request_id: UUID) -> str:
    """Return the id under which Dagster knows a reset: its own, without dashes, as Dagster keeps 32 characters."""
    return request_id.hex


def recent_resets(session: Session) -> Sequence[RecentReset]:
    """Return the resets of the last hour that ask for baselines, oldest first (a unit)."""
    return [
        RecentReset(UUID(row.payload["request_id"]), row.payload.get("reason_code", row.payload["scope"]), row.actor)
        for row in queries.resets_since(session, RECENT)
        if asks_for_baseline(MetricsScope(row.payload["scope"]))
    ]


def bots_of_reset(session: Session, request_id: UUID) -> Sequence[UUID]:
    """Return the active bots of a reset, in order of their creation."""
    return queries.bots_of(session, request_id)
