"""What one improvement looks through: parameters around the bot's own (IMPROVE), or other strategies (EVOLVE)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from core.errors import ErrorCode, GantryError
from core.log import get_logger
from fleet.closed_sets import CandidateSource, JobType
from integrations.ports import ProposalRequest, ProposalSource
from services.backtests.compute import Material
from services.improve.outcome import Found, Looking
from services.jobs.plan import Claim
from trading.improve.evolution import Contender, challengers, evolve
from trading.improve.improvement import improve
from trading.improve.limits import Budget
from trading.improve.reasons import Reason
from trading.improve.search import Search
from trading.improve.space import as_values
from trading.strategies.registry import STRATEGIES, get_strategy

MOST_PROPOSALS: Final = 8


def begin_search(
    claim: Claim,
    material: Material,
    *,
    budget: Budget,
    proposals: ProposalSource | None,
    state: Mapping[str, Any] | None,
) -> Looking:
    """Begin, or go on from a state; one of other arguments (bars, version or code changed meanwhile) is left aside.

    Raises:
        GantryError: VALIDATION_FAILED for a version that can't be run; DATA_UNAVAILABLE for too few sessions.

    """
    if state is not None and state.keys() >= {"search", "proposed", "sources"}:
        try:
            return _begun(claim, material, budget, list(state["proposed"]), dict(state["sources"]), state["search"])
        except GantryError as error:
            if not any(detail.field == "state" for detail in error.details):
                raise
    proposed: list[dict[str, Any]] = []
    sources: dict[str, Any] = {}
    if claim.job_type is JobType.EVOLVE:
        proposed, reported = _asked(claim, proposals)
        sources = {CandidateSource.STRATEGY_SWITCH.value: {"on": True}, CandidateSource.LLM.value: reported}
    return _begun(claim, material, budget, proposed, sources, None)


def outcome_of(looking: Looking, claim: Claim) -> Found:
    """Return what a finished search came to."""
    verdict = looking.search.verdict
    if verdict is None:
        raise RuntimeError("the search isn't done")  # a defect: steps are counted
    winner = verdict.evidence["candidate"]["params"]
    evolving = looking.job_type is JobType.EVOLVE
    candidate = winner if evolving else {"strategy": claim.plan.strategy, "params": winner}
    proposed = any({name: one[name] for name in ("strategy", "params")} == candidate for one in looking.proposed)
    switched = CandidateSource.LLM if proposed else CandidateSource.STRATEGY_SWITCH
    return Found(
        verdict,
        None if verdict.reason_code is Reason.NO_BETTER_SET else candidate,
        switched if evolving else CandidateSource.SWEEP,
        int(verdict.evidence["tried"]) - looking.tried_before,
        verdict.evidence | ({"sources": looking.sources, "proposed": looking.proposed} if evolving else {}),
    )


def _begun(
    claim: Claim,
    material: Material,
    budget: Budget,
    proposed: list[dict[str, Any]],
    sources: dict[str, Any],
    state: dict[str, Any] | None,
) -> Looking:
    plan = claim.plan
    if plan.fault is not None:
        raise plan.fault
    strategy, instrument = get_strategy(plan.strategy), material.loaded.instrument
    params, seed = strategy.parse(plan.params), _seed(claim.root_job_id)
    search: Search
    if claim.job_type is JobType.EVOLVE:
        size = max(1, budget.sets - len(proposed) - 1)
        others = challengers(strategy, STRATEGIES.values(), seed=seed, size=size)
        named = [Contender(known := get_strategy(one["strategy"]), known.parse(one["params"])) for one in proposed]
        search = evolve(
            material.windows,
            Contender(strategy, params),
            (*named, *others),
            instrument,
            plan.costs,
            budget=budget,
            state=state,
        )
    else:
        search = improve(
            material.windows, strategy, params, instrument, plan.costs, seed=seed, budget=budget, state=state
        )
    return Looking(search, claim.job_type, budget.tried_before, proposed, sources)


def _seed(root_job_id: UUID) -> int:
    """Return the random half of the id: the same for every attempt, another for every root."""
    return root_job_id.int & (2**62 - 1)


def _asked(claim: Claim, proposals: ProposalSource | None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Ask for proposals; return those that can be run, and what the evidence says of the source."""
    if proposals is None:
        return [], {"on": False, "why": "No key of a language model is set."}
    plan = claim.plan
    request = ProposalRequest(plan.bars.symbol, plan.bars.timeframe, plan.strategy, plan.params, list(STRATEGIES))
    try:
        offered: Sequence[Any] = proposals.propose(request, most=MOST_PROPOSALS)[:MOST_PROPOSALS]
    except GantryError as error:
        get_logger("improving").warning("no_proposals", provider=proposals.provider_id, error=error.message)
        return [], {"on": True, "provider": proposals.provider_id, "error": error.code.value, "offered": 0}
    kept: list[dict[str, Any]] = []
    refused: list[str] = []
    for one in offered:
        try:
            strategy = get_strategy(one.strategy)
            params = as_values(strategy.parse(one.params))
        except GantryError as error:
            if error.code is not ErrorCode.VALIDATION_FAILED:
                raise
            refused.append(error.message[:200])
            continue
        kept.append({"strategy": strategy.name, "params": params, "why": one.why[:500]})
    return kept, {"on": True, "provider": proposals.provider_id, "offered": len(offered), "refused": refused}


def with_history(budget: Budget, tried_before: int) -> Budget:
    """Return the budget with what was tried on these bars before: luck is counted over all of it."""
    return replace(budget, tried_before=tried_before)
