"""A search for something better, step by step: what an improvement and an evolution share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from json import dumps
from typing import Any, Final

from core.errors import invalid
from trading.backtest.convention import check_costs
from trading.backtest.types import Costs
from trading.bars.schema import IntArray
from trading.bars.series import Window
from trading.improve.folds import Fold, sessions_of, walk_forward
from trading.improve.limits import Budget
from trading.improve.scores import FoldScore, Values
from trading.improve.verdict import Judgement
from trading.instruments import Instrument

_FORMAT: Final = 1  # of the state


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What a search goes over: windows that hold bars, their sessions, and the folds of these."""

    windows: tuple[Window, ...]
    days: IntArray
    folds: tuple[Fold, ...]


@dataclass(slots=True, eq=False, kw_only=True)
class Search(ABC):
    """A search under way.

    state: JSON-able, replaced by every step; begun again with the same arguments and this state it goes on from there,
    in this process or another.
    """

    ground: Ground
    instrument: Instrument
    costs: Costs
    budget: Budget
    state: Values = field(default_factory=dict)

    @property
    def total_steps(self) -> int:
        """One a fold, and one to judge."""
        return len(self.ground.folds) + 1

    @property
    def steps_done(self) -> int:
        """From 0 to total_steps."""
        return len(self.state["folds"]) + (self.verdict is not None)

    @property
    def verdict(self) -> Judgement | None:
        """The verdict; None until the last step."""
        stored = self.state["verdict"]
        return None if stored is None else Judgement.from_json(stored)

    def step(self) -> bool:
        """Do the next step; return whether there is another. Nothing happens once all are done.

        Raises:
            GantryError: STRATEGY_ERROR when the strategy in use raises or decides something impossible, or when the
                sweep's figures of the candidate aren't the engine's.

        """
        done = len(self.state["folds"])
        if done < len(self.ground.folds):
            changes, score = self._fold(self.ground.folds[done])
            self.state = {**self.state, **changes, "folds": [*self.state["folds"], score.as_json()]}
        elif self.verdict is None:
            self.state = {**self.state, "verdict": self._judged().as_json()}
        return self.steps_done < self.total_steps

    @abstractmethod
    def _fold(self, fold: Fold) -> tuple[Mapping[str, Any], FoldScore]:
        """Return what else of the state is new after this fold, and the fold's score."""

    @abstractmethod
    def _judged(self) -> Judgement:
        """Judge the last fold's choice, all folds done."""


def ground_of(windows: tuple[Window, ...], costs: Costs, budget: Budget) -> Ground:
    """Lay out the folds.

    Raises:
        GantryError: VALIDATION_FAILED for an impossible budget or costs; DATA_UNAVAILABLE for too few sessions.

    """
    budget.check()
    check_costs(costs)
    kept = tuple(window for window in windows if len(window))
    days = sessions_of(kept)
    return Ground(kept, days, walk_forward(len(days), folds=budget.folds, purge_sessions=budget.purge_sessions))


def begun(
    what: str, asked: Mapping[str, Any], ground: Ground, costs: Costs, budget: Budget, state: Values | None
) -> Values:
    """Return the state to begin with: an empty one, or the one given. asked: what else the search is about, JSON-able.

    Raises:
        GantryError: VALIDATION_FAILED for a state of other arguments.

    """
    made = {
        **asked,
        "costs": {name: str(value) for name, value in asdict(costs).items()},
        "budget": asdict(budget),
        "bars": [[len(window), int(window.bars.ts[0]), int(window.close_ticks.sum())] for window in ground.windows],
    }
    identity = sha256(dumps(made, sort_keys=True).encode()).hexdigest()
    if state is None:
        return {"format": _FORMAT, "identity": identity, "folds": [], "verdict": None}
    if (state.get("format"), state.get("identity")) != (_FORMAT, identity):
        raise invalid(f"The state belongs to another {what}.", fix="Start again without a state.", field="state")
    return state
