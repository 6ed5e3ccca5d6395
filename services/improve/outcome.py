"""A search under way, and what it found."""

from dataclasses import dataclass
from typing import Any

from fleet.closed_sets import CandidateSource, JobType
from trading.improve.search import Search
from trading.improve.verdict import Judgement


@dataclass(slots=True, eq=False)
class Looking:
    """A search, and what is stored with it. proposed: {strategy, params, why} of each; asked once, then remembered."""

    search: Search
    job_type: JobType
    tried_before: int
    proposed: list[dict[str, Any]]
    sources: dict[str, Any]

    @property
    def state(self) -> dict[str, Any]:
        """What another attempt goes on from."""
        return {"search": self.search.state, "proposed": self.proposed, "sources": self.sources}


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to. candidate: {strategy, params}, None when the present ones were the best."""

    verdict: Judgement
    candidate: dict[str, Any] | None
    source: CandidateSource
    sets_tried: int
    evidence: dict[str, Any]
