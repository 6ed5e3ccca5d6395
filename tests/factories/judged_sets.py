"""A candidate that wins everywhere, the set it is held against, its neighbours, and the folds that chose it."""

from dataclasses import replace

from trading.improve.scores import FoldScore, SetScore
from trading.improve.sharpe import Moments

GOOD = SetScore({"n": 2}, 400, 9_000, 200, 5_000, 40, 1_000, Moments(200, 0.4, 0.0, 3.0))
INCUMBENT = SetScore({"n": 1}, 400, 1_000, 200, 500, 40, 100, Moments(200, 0.02, 0.0, 3.0))
NEAR = tuple(replace(GOOD, params={"n": number}, tested_net_e4=4_000) for number in (3, 4, 5, 6, 7))
FOLD = FoldScore({"n": 2}, 100, 200, 6.0, 4, 40, (300, 200, 400, 100), 40, (20, 30, 20, 30))
FOLDS = (FOLD,) * 5
