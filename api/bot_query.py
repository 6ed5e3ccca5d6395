"""Query parameters of lists of bots: which bots, in which order, and where a page goes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Query

from api.cursors import Cursor, ListKey, as_decimal, as_float, as_instant, as_int, as_text, limited
from api.errors import query_values
from api.paging import AfterKey, Limit, SortKey, SymbolFilter, after_key_of
from fleet.bot_filter import ALERTS, BotFilter, BotOrder, BotSort, order_of
from fleet.closed_sets import BotState, DataLabel, Stage, Tier

MAX_LIMIT: Final = 200
_READ: Final[Mapping[BotSort, Callable[[object], SortKey]]] = {
    BotSort.CREATED_AT: as_instant,
    BotSort.STAGE: as_int,
    BotSort.TOTAL_TRADES: as_int,
    BotSort.NET_PNL: as_decimal,
    BotSort.MAX_DRAWDOWN_USD: as_decimal,
    **dict.fromkeys((BotSort.WIN_RATE, BotSort.SHARPE, BotSort.PROFIT_FACTOR, BotSort.AUTONOMY_SCORE), as_float),
    **dict.fromkeys((BotSort.NAME, BotSort.SYMBOL, BotSort.STRATEGY, BotSort.STATE, BotSort.DATA_LABEL), as_text),
}
Sort = Annotated[
    str,
    Query(
        json_schema_extra={"pattern": f"^-?({'|'.join(BotSort)})$"},
        description="A field to sort by, with a minus in front for descending order. Bots without a value come last, "
        "and so do bots that a guard disqualified where the field is a result.",
    ),
]


@dataclass(frozen=True, slots=True)
class BotListing:
    """One page of a list of bots, as it is asked for."""

    which: BotFilter
    order: BotOrder
    after: AfterKey | None
    key: ListKey
    limit: int


async def _which(
    *,
    stage: Stage | None = None,
    symbol: SymbolFilter = None,
    state: Annotated[BotState | None, Query(description="What the bot is doing: `botNow.state`.")] = None,
    tier: Annotated[Tier | None, Query(description="Only this `autonomy_tier`.")] = None,
    label: Annotated[DataLabel | None, Query(description="Only this `data_label`.")] = None,
    alert: Annotated[
        str | None,
        Query(
            json_schema_extra={"pattern": f"^({'|'.join(sorted(ALERTS))})$"},
            description="Only bots with an alert of this level or code.",
        ),
    ] = None,
    archived: Annotated[bool, Query(description="The archived bots instead of the active ones.")] = False,
) -> BotFilter:
    with query_values():
        return BotFilter(stage, symbol, state, tier, label, alert, archived)


async def _listing(
    which: Annotated[BotFilter, Depends(_which)], limit: Limit = 50, cursor: Cursor = None, sort: Sort = "-created_at"
) -> BotListing:
    with query_values():
        order = order_of(sort)
    filters = {name: getattr(which, name) for name in which.__slots__}
    key = ListKey(f"bots:{order}", filters)
    after = after_key_of(key, cursor, _READ[order.by])
    return BotListing(which, order, after, key, limited(limit, maximum=MAX_LIMIT))


Listing = Annotated[BotListing, Depends(_listing)]
