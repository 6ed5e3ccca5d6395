"""The planner's ticks and the loops, as answered."""

from typing import Self

from pydantic import Field

from api.envelope import Envelope
from services.proof.autonomy import AutonomyProof
from shapes.planner import SchedulerBody, TickBody


class AutonomyProofReply(Envelope):
    """The newest tick, and the newest 50 with the newest one that enqueued something at the end, where it is older."""

    latest_run: TickBody | None = Field(alias="latestRun")
    runs: list[TickBody]

    @classmethod
    def of(cls, proof: AutonomyProof) -> Self:
        """Show the proof."""
        return cls.model_validate({"latest_run": proof.latest_run, "runs": proof.runs})


class SchedulerReply(SchedulerBody, Envelope):
    """Whether the fleet is looked after. active: the planner's loop is OK; loop_health: the worst of all loops'."""
