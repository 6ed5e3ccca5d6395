"""How much an improvement may try, and what a change must show to be adopted."""

from dataclasses import dataclass

from core.errors import invalid


@dataclass(frozen=True, slots=True)
class Limits:
    """What must be shown.

    min_in_trades: of a set in-sample, to be chosen at all. min_out_trades: of the folds' winners out-of-sample, over
    all folds. min_consistency: profitable out-of-sample folds / folds. max_overfit: in-sample over out-of-sample
    Sharpe ratio. min_deflated_sharpe: probability. min_neighbours: share of the neighbours that win too.
    """

    min_in_trades: int = 30
    min_out_trades: int = 30
    min_consistency: float = 0.6
    max_overfit: float = 2.5
    min_deflated_sharpe: float = 0.95
    min_neighbours: float = 0.6


@dataclass(frozen=True, slots=True)
class Budget:
    """What one improvement may spend.

    sets: different parameter sets tried, the incumbent's among them, 2 to 10,000. folds: 1 to 50. purge_sessions: gap
    between in-sample and out-of-sample, from 0. tried_before: sets that earlier improvements of the same bot tried on
    these bars, from 0: luck is counted over all of them. limits: what a change must show.
    """

    sets: int = 200
    folds: int = 5
    purge_sessions: int = 1
    tried_before: int = 0
    limits: Limits = Limits()

    def check(self) -> None:
        """Refuse what is out of range.

        Raises:
            GantryError: VALIDATION_FAILED naming the field.

        """
        ranges = {"sets": (2, 10_000), "folds": (1, 50), "purge_sessions": (0, 100), "tried_before": (0, 10**9)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise invalid(f"{name} is {getattr(self, name)}.", fix=f"Use {low:,} to {high:,}.", field=name)
