"""Supply of bars: what bots wait for is fetched from vendors, or simulated where bars are; nobody has to click."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from core.clock import utc_now
from core.errors import ErrorCode, GantryError
from core.log import get_logger
from fleet.closed_sets import DataLabel
from fleet.history import months_wanted
from integrations.http.serving import serving
from integrations.ports import BarsSource
from integrations.store import BarsStore
from services import bars
from services.fetching import FetchedReport, Fetcher
from sql.engine import Transactions
from sql.queries import bars as catalogue
from sql.queries import fetches as queries
from sql.tables.bars import BarsMonth
from sql.tables.usage import BarsFetch

HISTORY_MONTHS: Final = 12
LARGE_FETCH: Final = 3  # months; more than that is asked for its cost first
# The provider may answer another time; what is left stays so until the providers change, or a day is over.
PASSING: Final = frozenset(
    {
        ErrorCode.PROVIDER_TIMEOUT,
        ErrorCode.PROVIDER_RATE_LIMITED,
        ErrorCode.PROVIDER_BAD_RESPONSE,
        ErrorCode.DATABASE_UNAVAILABLE,
        ErrorCode.ENVIRONMENT_INVALID,
    }
)
PAUSE: Final = timedelta(seconds=5)
LASTING: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Supply:
    """Where missing bars come from. sources: vendors, in order. simulates: bars may be simulated.

    history_months: of a bot whose window is open. max_cost_usd: above it nothing is fetched without a person.
    """

    sources: Sequence[BarsSource] = ()
    simulates: bool = False
    history_months: int = HISTORY_MONTHS
    max_cost_usd: Decimal = Decimal(25)

    def top_up(
        self, tx: Transactions, store: BarsStore, symbol: str, *, actor: str, now: datetime
    ) -> Sequence[FetchedReport]:
        """See that a symbol has the bars its waiting bots want (a flow); months that failed lately are left alone."""
        if not self.sources:
            if self.simulates:
                bars.ensure_simulated(tx, store, symbol, actor=actor, now=now)
            return ()
        with tx() as session:
            waiting = queries.waiting_bots(session, symbol)
            wanted = months_wanted([bot.window for bot in waiting], now, self.history_months)
            missing = self._missing(catalogue.active_months(session, symbol=symbol), wanted)
            tries = queries.last_tries(session, symbol, missing)
        ids = [source.provider_id for source in self.sources]
        left = {row.month for row, age_s in tries if _in_vain(row, age_s, ids, self.max_cost_usd)}
        months = [month for month in missing if month not in left]
        if not months:
            return ()
        fetcher = Fetcher(tx, store, self.sources, actor, utc_now)
        with serving(bot.bot_id for bot in waiting):
            dear = self._too_dear(symbol, months)
            if dear is not None:
                return fetcher.refuse([(symbol, month) for month in months], *dear)
            return fetcher.fetch([(symbol, month) for month in months])

    def fetch_month(self, tx: Transactions, store: BarsStore, symbol: str, month: str, *, actor: str) -> FetchedReport:
        """Fetch one month that is asked for by name, whether or not it failed before."""
        with tx() as session:
            waiting = queries.waiting_bots(session, symbol)
        with serving(bot.bot_id for bot in waiting):
            return Fetcher(tx, store, self.sources, actor, utc_now).fetch([(symbol, month)])[0]

    @staticmethod
    def _missing(there: Sequence[BarsMonth], wanted: Sequence[str]) -> tuple[str, ...]:
        real = {row.month for row in there if row.data_label != DataLabel.SIMULATED}
        return tuple(month for month in wanted if month not in real)

    def _too_dear(self, symbol: str, months: Sequence[str]) -> tuple[GantryError, Decimal] | None:
        """Ask for the cost of a large fetch before it is made; return why it isn't, and the cost."""
        if len(months) <= LARGE_FETCH:
            return None
        try:
            quote = self.sources[0].quote(symbol, months)
        except GantryError as error:  # the fetch meets the same error, and notes it month by month
            get_logger("supply").warning("no_quote", symbol=symbol, code=error.code.value)
            return None
        if quote.cost_usd is None or quote.cost_usd <= self.max_cost_usd:
            return None
        return too_dear(symbol, months, quote.cost_usd, self.max_cost_usd), quote.cost_usd


def too_dear(symbol: str, months: Sequence[str], cost_usd: Decimal, limit_usd: Decimal) -> GantryError:
    """Say that a fetch costs more than may be spent without a person."""
    return GantryError(
        ErrorCode.DATA_UNAVAILABLE,
        f"{len(months)} months of {symbol} would cost {cost_usd:.2f} USD, above the limit of {limit_usd:.2f} USD.",
        fix=f"Fetch them by hand, `gantry bars fetch {symbol} --from {months[0]} --to {months[-1]}`, "
        "or raise MAX_FETCH_COST_USD.",
        facts={"symbol": symbol, "cost_usd": str(cost_usd), "limit_usd": str(limit_usd)},
    )


def _in_vain(row: BarsFetch, age_s: float, ids: Sequence[str], max_cost_usd: Decimal) -> bool:
    """Whether asking again now would lead to the same failure."""
    if row.error_code is None or row.providers != list(ids):
        return False
    if row.cost_usd is not None and row.cost_usd <= max_cost_usd:
        return False  # it was too dear for the limit of that time
    pause = PAUSE if ErrorCode(row.error_code) in PASSING else LASTING
    return age_s < pause.total_seconds()
