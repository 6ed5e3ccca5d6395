"""One evolution: other strategies against the one in use, on the same folds and under the same verdict.

A contender is a strategy with its parameters. As in an improvement, each step of a fold chooses the best contender of
all on the sessions before the gap and looks at it on those after; so the choice between strategies is made without the
sessions it is judged on, and every contender counts as a set that was tried. The last step takes the last fold's choice
as candidate and judges it by the rules of an improvement, with neighbours of the candidate's own strategy.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.errors import ErrorCode, GantryError, invalid
from trading.backtest.run import engine_version
from trading.backtest.types import Costs
from trading.bars.series import Window
from trading.improve.folds import Fold, until_session
from trading.improve.limits import Budget
from trading.improve.scores import FoldScore, SetScore, Values, score_of
from trading.improve.search import Search, begun, ground_of
from trading.improve.selection import best_of, fold_score, hold_against_engine, stressed
from trading.improve.space import as_values, neighbours, search_space
from trading.improve.sweep import SetResult, sweep
from trading.improve.verdict import Judgement, judge
from trading.instruments import Instrument
from trading.strategies.base import Params, Strategy


@dataclass(frozen=True, slots=True)
class Contender:
    """A strategy with its parameters."""

    strategy: Strategy
    params: Params

    def as_json(self) -> Values:
        """Return {strategy: name, params: {name: value}}."""
        return {"strategy": self.strategy.name, "params": as_values(self.params)}


@dataclass(slots=True, eq=False, kw_only=True)
class Evolution(Search):
    """An evolution under way, made by `evolve`.

    contenders: the incumbent first. A challenger's strategy that fails is left out from then on, and named in the
    evidence: it mustn't keep the others from being tried.
    """

    contenders: tuple[Contender, ...]

    @property
    def incumbent(self) -> Contender:
        """What is in use."""
        return self.contenders[0]

    @property
    def candidate(self) -> Contender | None:
        """The last fold's choice, which the verdict is about; None until that fold is done."""
        if len(self.state["folds"]) < len(self.ground.folds):
            return None
        winner = self.state["folds"][-1]["winner"]
        strategy = next(one.strategy for one in self.contenders if one.strategy.name == winner["strategy"])
        return Contender(strategy, strategy.parse(winner["params"]))

    def _fold(self, fold: Fold) -> tuple[Mapping[str, Any], FoldScore]:
        left_out = dict(self.state.get("left_out", {}))
        able: list[Contender] = []
        inside: list[SetResult] = []
        for group in self._groups():
            if group[0].strategy.name in left_out:
                continue
            try:
                results = self._sweep(group, fold.in_end)
            except GantryError as error:
                if error.code is not ErrorCode.STRATEGY_ERROR or self.incumbent in group:
                    raise
                left_out[group[0].strategy.name] = error.message
                continue
            able += group
            inside += results
        best = best_of(inside, self.budget.limits)
        (winner,) = self._sweep((able[best],), fold.out_end)
        (incumbent,) = self._sweep((self.incumbent,), fold.out_end)
        return {"left_out": left_out}, fold_score(fold, able[best].as_json(), inside[best], winner, incumbent)

    def _groups(self) -> Sequence[Sequence[Contender]]:
        """Return the contenders by strategy, the incumbent's first: it wins over its equals."""
        found: dict[str, list[Contender]] = {}
        for one in self.contenders:
            found.setdefault(one.strategy.name, []).append(one)
        return list(found.values())

    def _sweep(self, alike: Sequence[Contender], sessions: int) -> tuple[SetResult, ...]:
        part = until_session(self.ground.windows, self.ground.days, sessions)
        return sweep(part, alike[0].strategy, [one.params for one in alike], self.instrument, self.costs)

    def _judged(self) -> Judgement:
        folds = tuple(FoldScore.from_json(values) for values in self.state["folds"])
        candidate = self.candidate
        if candidate is None:  # only called once all folds are done
            raise invalid("The folds aren't done.", fix="Step through them first.")
        near = [Contender(candidate.strategy, params) for params in neighbours(candidate.params)]
        everything = len(self.ground.days)
        first, *rest = self._sweep((candidate, *near), everything)
        (present,) = self._sweep((self.incumbent,), everything)
        hold_against_engine(first, self.ground.windows, candidate.strategy, self.instrument, self.costs)
        tried = self.budget.tried_before + len({*self.contenders, *near})
        scores = [self._score(one, result) for one, result in zip((candidate, *near), (first, *rest), strict=True)]
        verdict = judge(
            scores[0], self._score(self.incumbent, present), folds, scores[1:], tried, limits=self.budget.limits
        )
        return Judgement(verdict.adopt, verdict.reason_code, {**verdict.evidence, **self._about(candidate)})

    def _score(self, contender: Contender, result: SetResult) -> SetScore:
        return replace(score_of(result, self.ground.folds), params=contender.as_json())

    def _about(self, candidate: Contender) -> Values:
        asked = (
            self.ground.windows,
            candidate.strategy,
            candidate.params,
            self.instrument,
            self.costs,
            self.ground.folds,
        )
        return {
            "stress": replace(stressed(*asked), params=candidate.as_json()).as_json(),
            "budget": asdict(self.budget),
            "engine_version": engine_version(),
            "left_out": self.state.get("left_out", {}),
        }


def challengers(present: Strategy, strategies: Iterable[Strategy], *, seed: int, size: int) -> tuple[Contender, ...]:
    """Return up to `size` contenders of the other strategies: each at its defaults, the rest drawn around them.

    Every strategy gets as many, at least one; the same for a seed.
    """
    others = [strategy for strategy in strategies if strategy.name != present.name]
    each = max(1, size // len(others)) if others else 0
    found = [
        Contender(strategy, params)
        for strategy in others
        for params in search_space(strategy.parse({}), seed=seed, size=each)
    ]
    return tuple(found)


def evolve(
    windows: tuple[Window, ...],
    incumbent: Contender,
    against: Sequence[Contender],
    instrument: Instrument,
    costs: Costs,
    *,
    budget: Budget,
    state: Values | None = None,
) -> Evolution:
    """Begin, or with a state go on with, an evolution; nothing runs before `step()`. budget.sets isn't read.

    Raises:
        GantryError: VALIDATION_FAILED for an impossible budget, costs or parameters, nobody to try, or a state of
            other arguments; DATA_UNAVAILABLE for too few sessions.

    """
    ground = ground_of(windows, costs, budget)
    contenders = tuple(dict.fromkeys((incumbent, *against)))
    if len(contenders) == 1:
        raise invalid("There is no other strategy to try.", fix="Register a second strategy.")
    for one in contenders:
        one.strategy.parse(as_values(one.params))
    asked = {"contenders": [one.as_json() for one in contenders]}
    return Evolution(
        ground=ground,
        instrument=instrument,
        costs=costs,
        budget=budget,
        state=begun("evolution", asked, ground, costs, budget, state),
        contenders=contenders,
    )
