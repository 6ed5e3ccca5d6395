"""One improvement of a strategy's parameters on given bars, fold by fold.

Each step of a fold chooses the best of the sets on the sessions before the gap, with no later bar at hand, and looks at
it on those after. The last step takes the last fold's choice as candidate, runs it, the incumbent and the candidate's
neighbours over everything, holds the candidate's figures against the engine of record, and judges.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from trading.backtest.run import engine_version
from trading.backtest.types import Costs
from trading.bars.series import Window
from trading.improve.folds import Fold, until_session
from trading.improve.limits import Budget
from trading.improve.scores import FoldScore, Values, score_of
from trading.improve.search import Search, begun, ground_of
from trading.improve.selection import best_of, fold_score, hold_against_engine, stressed
from trading.improve.space import as_values, neighbours, search_space
from trading.improve.sweep import SetResult, sweep
from trading.improve.verdict import Judgement, judge
from trading.instruments import Instrument
from trading.strategies.base import Params, Strategy


@dataclass(slots=True, eq=False, kw_only=True)
class Improvement(Search):
    """An improvement under way, made by `improve`. sets: the parameter sets it tries, the incumbent's among them."""

    strategy: Strategy
    params: Params
    sets: tuple[Params, ...]

    @property
    def candidate(self) -> Params | None:
        """The last fold's choice, which the verdict is about; None until that fold is done."""
        if len(self.state["folds"]) < len(self.ground.folds):
            return None
        return self.strategy.parse(self.state["folds"][-1]["winner"])

    def _fold(self, fold: Fold) -> tuple[Mapping[str, Any], FoldScore]:
        inside = self._sweep(self.sets, fold.in_end)
        best = best_of(inside, self.budget.limits)
        winner, incumbent = self._sweep((self.sets[best], self.params), fold.out_end)
        return {}, fold_score(fold, as_values(winner.params), inside[best], winner, incumbent)

    def _judged(self) -> Judgement:
        folds = tuple(FoldScore.from_json(values) for values in self.state["folds"])
        candidate = self.strategy.parse(folds[-1].winner)
        near = neighbours(candidate)
        first, second, *rest = self._sweep((candidate, self.params, *near), len(self.ground.days))
        hold_against_engine(first, self.ground.windows, self.strategy, self.instrument, self.costs)
        scores = [score_of(result, self.ground.folds) for result in (first, second, *rest)]
        tried = self.budget.tried_before + len({*self.sets, *near})
        verdict = judge(scores[0], scores[1], folds, scores[2:], tried, limits=self.budget.limits)
        return Judgement(verdict.adopt, verdict.reason_code, {**verdict.evidence, **self._about(candidate)})

    def _about(self, candidate: Params) -> Values:
        """Say what else is stored: the candidate at doubled costs, and what the figures were made with."""
        return {
            "stress": stressed(
                self.ground.windows, self.strategy, candidate, self.instrument, self.costs, self.ground.folds
            ).as_json(),
            "budget": asdict(self.budget),
            "engine_version": engine_version(),
        }

    def _sweep(self, sets: tuple[Params, ...], sessions: int) -> tuple[SetResult, ...]:
        part = until_session(self.ground.windows, self.ground.days, sessions)
        return sweep(part, self.strategy, sets, self.instrument, self.costs)


def improve(
    windows: tuple[Window, ...],
    strategy: Strategy,
    params: Params,
    instrument: Instrument,
    costs: Costs,
    *,
    seed: int,
    budget: Budget,
    state: Values | None = None,
) -> Improvement:
    """Begin, or with a state go on with, an improvement of `params`; nothing runs before `step()`.

    seed: from 0, draws the sets; the same arguments give the same verdict, stopped and resumed or not.

    Raises:
        GantryError: VALIDATION_FAILED for an impossible budget, costs or parameters, or a state of other arguments;
            DATA_UNAVAILABLE for too few sessions.

    """
    ground = ground_of(windows, costs, budget)
    strategy.parse(as_values(params))
    asked = {"strategy": strategy.name, "params": as_values(params), "seed": seed}
    return Improvement(
        ground=ground,
        instrument=instrument,
        costs=costs,
        budget=budget,
        state=begun("improvement", asked, ground, costs, budget, state),
        strategy=strategy,
        params=params,
        sets=search_space(params, seed=seed, size=budget.sets),
    )
