"""An evolution may put another strategy in place of the one in use; proposals are candidates like any other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from core.errors import ErrorCode, GantryError, Kind
from fleet.closed_sets import JobStatus, JobType
from integrations.ports import Proposal, ProposalRequest
from integrations.store import BarsStore
from services.improve.run import Improver
from services.jobs.reaper import fail_jobs_of_dead_runs
from sql.engine import Transactions
from tests.factories.bots import MakeBot
from tests.factories.improvements import (
    TERMS,
    Killed,
    assert_sound,
    die,
    improve,
    interrupted,
    outcomes,
    queue_improvement,
    reported,
    take,
    version_of,
)
from trading.strategies.base import Decisions, MarketView
from trading.strategies.bollinger_reversion import BollingerReversion
from trading.strategies.registry import STRATEGIES


class Broken(BollingerReversion):
    """A strategy that always raises."""

    name: ClassVar[str] = "broken"

    def decide(self, view: MarketView, params: Any) -> Decisions:  # noqa: ARG002 - the strategy's signature
        raise RuntimeError("no idea")


@pytest.mark.usefixtures("edge")
def test_a_strategy_that_raises_fails_its_own_improvement_and_is_left_out_of_others_evolution(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRATEGIES, "broken", Broken())
    queue_improvement(tx, make_bot("broken", strategy="broken"), place=1)
    improved = improve(tx, store)
    assert improved.error is not None
    assert (improved.status, improved.error.code) == (JobStatus.FAILED, ErrorCode.STRATEGY_ERROR)
    queue_improvement(tx, make_bot("sound"), JobType.EVOLVE, place=2)
    assert improve(tx, store).status is JobStatus.COMPLETED
    (row,) = outcomes(tx)
    assert list(row.evidence["left_out"]) == ["broken"]


@pytest.mark.usefixtures("edge")
def test_an_evolution_may_change_the_strategy_and_says_that_nobody_was_asked_for_proposals(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot(strategy="sma_cross")
    queue_improvement(tx, bot_id, JobType.EVOLVE)
    improved = improve(tx, store)
    assert (improved.status, improved.verdict) == (JobStatus.COMPLETED, "ADOPTED")
    _bot, version = version_of(tx, bot_id)
    assert version.strategy != "sma_cross"
    assert (version.number, version.reason_code) == (2, "EVOLVED")
    assert STRATEGIES[version.strategy].parse(version.params)
    (row,) = outcomes(tx)
    assert row.source == "STRATEGY_SWITCH"
    assert row.evidence["sources"]["LLM"]["on"] is False
    assert row.evidence["incumbent"]["params"]["strategy"] == "sma_cross"
    assert reported(tx) == ["EVOLVE_QUEUED", "EVOLVE_STARTED", "EVOLVE_COMPLETED", "VERSION_ADOPTED"]
    assert_sound(tx)


class Adviser:
    """Proposes what it was given, or fails."""

    provider_id = "adviser"

    def __init__(self, *proposals: Proposal, error: GantryError | None = None) -> None:
        self.proposals, self.error, self.asked = proposals, error, list[ProposalRequest]()

    def propose(self, request: ProposalRequest, *, most: int) -> Sequence[Proposal]:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        return self.proposals[:most]


def proposal(strategy: str, params: Mapping[str, object]) -> Proposal:
    return Proposal(strategy, params, "it may pay")


@pytest.mark.usefixtures("edge")
def test_proposals_are_tried_like_other_candidates_asked_for_once_and_refused_when_impossible(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    adviser = Adviser(
        proposal("bollinger_reversion", {"period": 300, "width": 2.0}),
        proposal("bollinger_reversion", {"period": -1}),
        proposal("crystal_ball", {}),
    )
    terms = replace(TERMS, proposals=adviser, improve=replace(TERMS.improve, sets=6))
    queue_improvement(tx, make_bot(strategy="sma_cross"), JobType.EVOLVE)
    (claim,) = take(tx, run_id="dead")
    with pytest.raises(Killed):
        Improver(interrupted(tx, 2, die), store, terms).improve(claim)
    fail_jobs_of_dead_runs(tx, ["dead"], actor="test")
    (again,) = take(tx)
    assert Improver(tx, store, terms).improve(again).status is JobStatus.COMPLETED
    assert [request.strategy for request in adviser.asked] == ["sma_cross"]
    (row,) = outcomes(tx)
    source = row.evidence["sources"]["LLM"]
    assert (source["on"], source["provider"], source["offered"], len(source["refused"])) == (True, "adviser", 3, 2)
    assert [one["params"]["period"] for one in row.evidence["proposed"]] == [300]
    assert row.candidate is not None
    assert (row.source, row.verdict) == ("LLM", "ADOPTED")
    assert row.candidate["params"] == {"period": 300, "width": 2.0}


@pytest.mark.usefixtures("edge")
def test_an_evolution_goes_on_without_proposals_when_their_source_fails(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    error = GantryError(ErrorCode.PROVIDER_TIMEOUT, "Too late.", fix="Wait.", kind=Kind.UNAVAILABLE)
    queue_improvement(tx, make_bot(strategy="sma_cross"), JobType.EVOLVE)
    assert improve(tx, store, proposals=Adviser(error=error)).status is JobStatus.COMPLETED
    (row,) = outcomes(tx)
    assert row.evidence["sources"]["LLM"]["error"] == "PROVIDER_TIMEOUT"
