"""What is known of a parameter set when it is judged, and of each fold; both go through JSON and back unchanged."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from trading.bars.schema import IntArray
from trading.improve.folds import Fold
from trading.improve.sharpe import Moments, moments
from trading.improve.space import as_values
from trading.improve.sweep import SetResult
from trading.metrics import TRADING_DAYS_PER_YEAR

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SetScore:
    """One parameter set over all sessions of the folds. Money: profit in ten-thousandths of a dollar, marked daily.

    tested_*: over the out-of-sample sessions of all folds; later folds chose with those of the earlier ones, so this
    isn't an out-of-sample result of this set. unseen_*: over those of the last fold, which no choice of this set has
    seen. shape: of the profits of all sessions.
    """

    params: Values
    trades: int
    net_e4: int
    tested_trades: int
    tested_net_e4: int
    unseen_trades: int
    unseen_net_e4: int
    shape: Moments

    def as_json(self) -> Values:
        """Return the fields ready for JSON, with the yearly Sharpe ratio."""
        ratio = self.shape.sharpe
        return asdict(self) | {"sharpe": None if ratio is None else ratio * sqrt(TRADING_DAYS_PER_YEAR)}


@dataclass(frozen=True, slots=True)
class FoldScore:
    """One fold: the set that was best in-sample, and what it and the incumbent did out-of-sample.

    in_sessions, out_sessions: counts. in_sharpe: yearly, of the winner, None where it has none. out_daily_e4,
    incumbent_out_daily_e4: profit of each out-of-sample session. Trades are those that ended in the sessions named.
    """

    winner: Values
    in_sessions: int
    in_trades: int
    in_sharpe: float | None
    out_sessions: int
    out_trades: int
    out_daily_e4: tuple[int, ...]
    incumbent_out_trades: int
    incumbent_out_daily_e4: tuple[int, ...]

    @property
    def out_net_e4(self) -> int:
        """Profit of the winner out-of-sample."""
        return sum(self.out_daily_e4)

    @property
    def incumbent_out_net_e4(self) -> int:
        """Profit of the incumbent on the same sessions."""
        return sum(self.incumbent_out_daily_e4)

    def as_json(self) -> Values:
        """Return the fields ready for JSON; `from_json` reads them back."""
        values = asdict(self)
        return values | {name: list(values[name]) for name in ("out_daily_e4", "incumbent_out_daily_e4")}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "FoldScore":
        """Return what `as_json` wrote."""
        days = {name: tuple(values[name]) for name in ("out_daily_e4", "incumbent_out_daily_e4")}
        return cls(**{**values, **days})


def score_of(result: SetResult, folds: Sequence[Fold]) -> SetScore:
    """Return the score of a set that was run over all sessions of these folds (at least one)."""
    out, unseen = slice(folds[0].out_start, folds[-1].out_end), slice(folds[-1].out_start, folds[-1].out_end)

    def total(values: IntArray, part: slice = slice(None)) -> int:
        return int(values[part].sum())

    return SetScore(
        params=as_values(result.params),
        trades=total(result.trades),
        net_e4=total(result.daily_e4),
        tested_trades=total(result.trades, out),
        tested_net_e4=total(result.daily_e4, out),
        unseen_trades=total(result.trades, unseen),
        unseen_net_e4=total(result.daily_e4, unseen),
        shape=moments(result.daily_e4),
    )
