"""One improvement of a strategy's parameters on given bars, fold by fold.

Each step of a fold chooses the best of the sets on the sessions before the gap, with no later bar at hand, and looks at
it on those after. The last step takes the last fold's choice as candidate, runs it, the incumbent and the candidate's
neighbours over everything, holds the candidate's figures against the engine of record, and judges.
"""

from dataclasses import asdict, dataclass, field
from hashlib import sha256
from json import dumps
from typing import Any, Final

from core.errors import invalid
from trading.backtest.convention import check_costs
from trading.backtest.run import engine_version
from trading.backtest.types import Costs
from trading.bars.schema import IntArray
from trading.bars.series import Window
from trading.improve.folds import Fold, sessions_of, until_session, walk_forward
from trading.improve.limits import Budget
from trading.improve.scores import FoldScore, Values, score_of
from trading.improve.selection import best_of, fold_score, hold_against_engine, stressed
from trading.improve.space import as_values, neighbours, search_space
from trading.improve.sweep import SetResult, sweep
from trading.improve.verdict import Verdict, judge
from trading.instruments import Instrument
from trading.strategies.base import Params, Strategy

_FORMAT: Final = 1  # of the state


@dataclass(slots=True, eq=False)
class Improvement:
    """An improvement under way, made by `improve`.

    state: JSON-able, replaced by every step; hand it to `improve` with the same arguments to go on from there, in this
    process or another. tried: parameter sets this improvement tries, without those of `budget.tried_before`.
    """

    windows: tuple[Window, ...]
    strategy: Strategy
    params: Params
    instrument: Instrument
    costs: Costs
    budget: Budget
    days: IntArray
    folds: tuple[Fold, ...]
    sets: tuple[Params, ...]
    state: Values = field(default_factory=dict)

    @property
    def total_steps(self) -> int:
        """One a fold, and one to judge."""
        return len(self.folds) + 1

    @property
    def steps_done(self) -> int:
        """From 0 to total_steps."""
        return len(self.state["folds"]) + (self.verdict is not None)

    @property
    def verdict(self) -> Verdict | None:
        """The verdict; None until the last step."""
        stored = self.state["verdict"]
        return None if stored is None else Verdict.from_json(stored)

    @property
    def candidate(self) -> Params | None:
        """The last fold's choice, which the verdict is about; None until that fold is done."""
        if len(self.state["folds"]) < len(self.folds):
            return None
        return self.strategy.parse(self.state["folds"][-1]["winner"])

    def step(self) -> bool:
        """Do the next step; return whether there is another. Nothing happens once all are done.

        Raises:
            GantryError: STRATEGY_ERROR when the strategy raises or decides something impossible, or when the
                sweep's figures of the candidate aren't the engine's.

        """
        done = len(self.state["folds"])
        if done < len(self.folds):
            score = self._fold(self.folds[done])
            self.state = {**self.state, "folds": [*self.state["folds"], score.as_json()]}
        elif self.verdict is None:
            self.state = {**self.state, "verdict": self._judged().as_json()}
        return self.steps_done < self.total_steps

    def _fold(self, fold: Fold) -> FoldScore:
        inside = self._sweep(self.sets, fold.in_end)
        best = best_of(inside, self.budget.limits)
        winner, incumbent = self._sweep((self.sets[best], self.params), fold.out_end)
        return fold_score(fold, as_values(winner.params), inside[best], winner, incumbent)

    def _judged(self) -> Verdict:
        folds = tuple(FoldScore.from_json(values) for values in self.state["folds"])
        candidate = self.strategy.parse(folds[-1].winner)
        near = neighbours(candidate)
        first, second, *rest = self._sweep((candidate, self.params, *near), len(self.days))
        hold_against_engine(first, self.windows, self.strategy, self.instrument, self.costs)
        scores = [score_of(result, self.folds) for result in (first, second, *rest)]
        tried = self.budget.tried_before + len({*self.sets, *near})
        verdict = judge(scores[0], scores[1], folds, scores[2:], tried, limits=self.budget.limits)
        return Verdict(verdict.adopt, verdict.reason_code, {**verdict.evidence, **self._about(candidate)})

    def _about(self, candidate: Params) -> Values:
        """Say what else is stored: the candidate at doubled costs, and what the figures were made with."""
        return {
            "stress": stressed(
                self.windows, self.strategy, candidate, self.instrument, self.costs, self.folds
            ).as_json(),
            "budget": asdict(self.budget),
            "engine_version": engine_version(),
        }

    def _sweep(self, sets: tuple[Params, ...], sessions: int) -> tuple[SetResult, ...]:
        part = until_session(self.windows, self.days, sessions)
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
    budget.check()
    check_costs(costs)
    strategy.parse(as_values(params))
    kept = tuple(window for window in windows if len(window))
    days = sessions_of(kept)
    folds = walk_forward(len(days), folds=budget.folds, purge_sessions=budget.purge_sessions)
    made: dict[str, Any] = {
        "strategy": strategy.name,
        "params": as_values(params),
        "costs": {name: str(value) for name, value in asdict(costs).items()},
        "seed": seed,
        "budget": asdict(budget),
        "bars": [[len(window), int(window.bars.ts[0]), int(window.close_ticks.sum())] for window in kept],
    }
    identity = sha256(dumps(made, sort_keys=True).encode()).hexdigest()
    fresh: Values = {"format": _FORMAT, "identity": identity, "folds": [], "verdict": None}
    if state is not None and (state.get("format"), state.get("identity")) != (_FORMAT, identity):
        raise invalid("The state is of another improvement.", fix="Start anew, without a state.", field="state")
    sets = search_space(params, seed=seed, size=budget.sets)
    return Improvement(
        kept, strategy, params, instrument, costs, budget, days, folds, sets, fresh if state is None else state
    )
