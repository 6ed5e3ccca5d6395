"""Which bots a list holds, and in which order."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.errors import ErrorCode, invalid
from fleet.bot_now import AlertCode, AlertLevel
from fleet.closed_sets import BotState, DataLabel, Stage, Tier
from trading.instruments import get_instrument

# An alert's level, or its code.
ALERTS: Final = frozenset({*AlertLevel, *AlertCode, *ErrorCode})


@dataclass(frozen=True, slots=True)
class BotFilter:
    """Which bots a list holds. None: any.

    alert: one of `ALERTS`; bots with at least one such alert. archived: the archived bots instead of the active ones.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol or alert, which would look like a fleet without such bots.

    """

    stage: Stage | None = None
    symbol: str | None = None
    state: BotState | None = None
    tier: Tier | None = None
    label: DataLabel | None = None
    alert: str | None = None
    archived: bool = False

    def __post_init__(self) -> None:
        """Refuse what no bot can have."""
        if self.symbol is not None:
            get_instrument(self.symbol)
        if self.alert is not None and self.alert not in ALERTS:
            levels = ", ".join(AlertLevel)
            raise invalid(
                f"Unknown alert {self.alert!r}.",
                fix=f"Use a level ({levels}), or the code of an alert that a bot shows.",
                field="alert",
            )

    @property
    def narrows(self) -> bool:
        """Whether any bot may be left out, other than by being archived or not."""
        return any((self.stage, self.symbol, self.state, self.tier, self.label, self.alert))


class BotSort(StrEnum):
    """What a list of bots may be sorted by: fields of the bot object."""

    CREATED_AT = "created_at"
    NAME = "name"
    SYMBOL = "symbol"
    STRATEGY = "strategy"
    STAGE = "stage"
    STATE = "state"
    TOTAL_TRADES = "total_trades"
    NET_PNL = "net_pnl"
    WIN_RATE = "win_rate"
    MAX_DRAWDOWN_USD = "max_drawdown_usd"
    SHARPE = "sharpe"
    PROFIT_FACTOR = "profit_factor"
    AUTONOMY_SCORE = "autonomy_score"
    DATA_LABEL = "data_label"


@dataclass(frozen=True, slots=True)
class BotOrder:
    """The order of a list: bots without a value come last either way, and the id breaks ties.

    Results of a bot that a guard disqualified are no value: an order by results puts no such bot above an honest one.
    """

    by: BotSort = BotSort.CREATED_AT
    descending: bool = True

    def __str__(self) -> str:
        return f"-{self.by}" if self.descending else str(self.by)


NEWEST_FIRST: Final = BotOrder()


def order_of(text: str) -> BotOrder:
    """Read a field's name, with a minus in front for descending order.

    Raises:
        GantryError: VALIDATION_FAILED for any other text.

    """
    try:
        return BotOrder(BotSort(text.removeprefix("-")), text.startswith("-"))
    except ValueError:
        names = ", ".join(BotSort)
        raise invalid(
            f"Bots can't be sorted by {text!r}.", fix=f"Use one of {names}; -name sorts descending.", field="sort"
        ) from None
