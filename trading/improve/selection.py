"""What an improvement and an evolution share: the best of many in-sample, a fold's score, the check by the engine."""

from collections.abc import Sequence
from math import inf

from core.errors import ErrorCode, GantryError, Kind
from trading.backtest.run import run_backtest
from trading.backtest.types import Costs
from trading.bars.series import Window
from trading.improve.folds import Fold
from trading.improve.limits import Limits
from trading.improve.scores import FoldScore, SetScore, Values, score_of
from trading.improve.space import as_values
from trading.improve.sweep import SetResult, of_backtest, sweep
from trading.instruments import Instrument
from trading.metrics import sharpe_ratio
from trading.strategies.base import Params, Strategy


def best_of(inside: Sequence[SetResult], limits: Limits) -> int:
    """Return the place of the best Sharpe ratio in-sample; the first of equals: the incumbent where all are NaN.

    Sets with too few trades come after all others.
    """

    def rank(result: SetResult) -> float:
        ratio = sharpe_ratio(result.daily_e4)
        return -inf if ratio is None or int(result.trades.sum()) < limits.min_in_trades else ratio

    return max(range(len(inside)), key=lambda number: (rank(inside[number]), -number))


def fold_score(fold: Fold, named: Values, inside: SetResult, winner: SetResult, incumbent: SetResult) -> FoldScore:
    """Return a fold's score. named: the winner as it is stored. winner, incumbent: over the sessions to out_end."""
    out = slice(fold.out_start, fold.out_end)
    return FoldScore(
        winner=named,
        in_sessions=fold.in_end,
        in_trades=int(inside.trades.sum()),
        in_sharpe=sharpe_ratio(inside.daily_e4),
        out_sessions=fold.out_end - fold.out_start,
        out_trades=int(winner.trades[out].sum()),
        out_daily_e4=tuple(winner.daily_e4[out].tolist()),
        incumbent_out_trades=int(incumbent.trades[out].sum()),
        incumbent_out_daily_e4=tuple(incumbent.daily_e4[out].tolist()),
    )


def hold_against_engine(
    swept: SetResult, windows: tuple[Window, ...], strategy: Strategy, instrument: Instrument, costs: Costs
) -> None:
    """Compare a sweep's figures with those of the engine of record.

    Raises:
        GantryError: STRATEGY_ERROR when they differ.

    """
    engine = of_backtest(swept.params, run_backtest(windows, strategy, swept.params, instrument, costs))
    pairs = {name: (getattr(swept, name), getattr(engine, name)) for name in ("daily_e4", "trades", "net_e4")}
    wrong = [name for name, (ours, theirs) in pairs.items() if not (ours == theirs).all()]
    if wrong:
        raise GantryError(
            ErrorCode.STRATEGY_ERROR,
            f"The sweep of {strategy.name} differs from the engine's result: {', '.join(wrong)}.",
            fix="Check that the strategy is deterministic; if it is, run `make test`.",
            kind=Kind.INVALID,
            facts={"strategy": strategy.name, "params": as_values(swept.params)},
        )


def stressed(
    windows: tuple[Window, ...],
    strategy: Strategy,
    params: Params,
    instrument: Instrument,
    costs: Costs,
    folds: Sequence[Fold],
) -> SetScore:
    """Return the score of a set at doubled costs."""
    doubled = Costs(costs.slippage_ticks * 2, costs.commission_usd * 2, costs.contracts)
    (swept,) = sweep(windows, strategy, (params,), instrument, doubled)
    return score_of(swept, folds)
