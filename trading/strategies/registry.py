"""Every strategy, by name. Adding one is its file, one import and one line here."""

from typing import Final

from core.errors import invalid
from trading.strategies.atr_momentum import AtrMomentum
from trading.strategies.base import Strategy
from trading.strategies.bollinger_reversion import BollingerReversion
from trading.strategies.donchian_breakout import DonchianBreakout
from trading.strategies.rsi_reversion import RsiReversion
from trading.strategies.sma_cross import SmaCross
from trading.strategies.vwap_reversion import VwapReversion

_ALL: Final[tuple[Strategy, ...]] = (
    SmaCross(),
    RsiReversion(),
    DonchianBreakout(),
    BollingerReversion(),
    AtrMomentum(),
    VwapReversion(),
)
STRATEGIES: Final[dict[str, Strategy]] = {strategy.name: strategy for strategy in _ALL}


def get_strategy(name: str) -> Strategy:
    """Return the strategy of that name.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown name, listing the known ones.

    """
    strategy = STRATEGIES.get(name)
    if strategy is None:
        raise invalid(f"Unknown strategy {name!r}.", fix=f"Use one of {', '.join(STRATEGIES)}.", field="strategy")
    return strategy
