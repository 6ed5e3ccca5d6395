"""Proof of what ran, as it is answered."""

from typing import Any, Self

from pydantic import Field

from api.envelope import Envelope, PageBody
from services.proof.jobs import JobsProof
from shapes.proof import LastJobBody, StatusCounts, StuckJobBody, TypeCounts


class JobsProofReply(Envelope):
    """All jobs in figures, what is stuck (the oldest 200 of `stuck_count`), and a page of each bot's newest job."""

    counts: StatusCounts
    by_type: TypeCounts = Field(alias="byType")
    oldest_queued_seconds: float | None
    stuck_count: int
    stuck: list[StuckJobBody]
    last_job_per_bot: list[LastJobBody]
    page: PageBody

    @classmethod
    def of(cls, proof: JobsProof, page: PageBody) -> Self:
        """Show the proof."""
        last = [_last(job) for job in proof.last_job_per_bot.rows]
        plain = {name: getattr(proof, name) for name in ("oldest_queued_seconds", "stuck_count", "stuck")}
        counts = {"counts": proof.counts, "by_type": proof.by_type}
        return cls.model_validate({**counts, **plain, "last_job_per_bot": last, "page": page})


def _last(job: Any) -> LastJobBody:
    own = {name: getattr(job, name) for name in LastJobBody.model_fields if name != "job_id"}
    return LastJobBody(job_id=job.id, **own)
