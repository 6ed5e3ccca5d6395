"""Supply of bars: what bots wait for is fetched from vendors, or simulated where bars are; nobody has to click."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from core.clock import utc_now
from core.errors import ErrorCode, GantryError
from core.log import get_logger
from fleet.grading_bars import MIN_SESSIONS
from fleet.history import months_wanted
from integrations.http.serving import serving
from integrations.ports import BarsSource
from integrations.store import BarsStore
from services.bars.simulate import ensure_simulated
from services.supply.affordable import Refusal, affordable
from services.supply.fetch import FetchedReport, Fetcher
from services.supply.missing import PASSING, is_whole
from sql.engine import Transactions
from sql.month_lock import if_nobody_else
from sql.queries.bars import catalogue
from sql.queries.supply import fetches as queries
from sql.tables.usage import BarsFetch

HISTORY_MONTHS: Final = 12
PAUSE: Final = timedelta(seconds=5)  # before a fetch that failed for a passing reason is retried
PART_PAUSE: Final = timedelta(hours=1)  # before the rest of a month is fetched that the vendor had a part of
LASTING: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Supply:
    """Where missing bars come from. sources: vendors, in order. simulates: bars may be simulated.

    history_months: of a bot whose window is open. max_cost_usd: above it nothing is fetched without a person.
    min_sessions: of real bars, from which on bots are graded on them.
    """

    sources: Sequence[BarsSource] = ()
    simulates: bool = False
    history_months: int = HISTORY_MONTHS
    max_cost_usd: Decimal = Decimal(25)
    min_sessions: int = MIN_SESSIONS

    def top_up(
        self, tx: Transactions, store: BarsStore, symbol: str, *, actor: str, now: datetime
    ) -> Sequence[FetchedReport] | None:
        """See that a symbol has the bars its waiting bots want (a flow); months that failed recently are left alone.

        None: another process is at it; its jobs are for later.
        """
        if not self.sources:
            if self.simulates:
                ensure_simulated(tx, store, symbol, actor=actor, now=now, min_sessions=self.min_sessions)
            return ()
        if not self._needed(tx, symbol, now)[0]:
            return ()
        with tx() as session:
            engine = session.get_bind().engine
        with if_nobody_else(engine, symbol) as mine:
            return self._fetched(tx, store, symbol, actor, now) if mine else None

    def fetch_month(self, tx: Transactions, store: BarsStore, symbol: str, month: str, *, actor: str) -> FetchedReport:
        """Fetch one month that is requested by name, whether or not it failed before."""
        with tx() as session:
            waiting = queries.waiting_bots(session, symbol)
        with serving(bot.bot_id for bot in waiting):
            return Fetcher(tx, store, self.sources, actor, utc_now).fetch([(symbol, month)])[0]

    def _fetched(
        self, tx: Transactions, store: BarsStore, symbol: str, actor: str, now: datetime
    ) -> Sequence[FetchedReport]:
        months, waiting = self._needed(tx, symbol, now)
        if not months:
            return ()
        with serving(bot.bot_id for bot in waiting):
            windows = [months_wanted([bot.window], now, self.history_months) for bot in waiting]
            sources, bought, refused = self._affordable(symbol, months, windows)
            reports: list[FetchedReport] = []
            if refused is not None:
                fetcher = Fetcher(tx, store, self.sources, actor, utc_now)
                left = [(symbol, month) for month in months if month not in bought]
                reports += fetcher.refuse(left, refused.error, refused.cost_usd)
            if bought:
                reports += Fetcher(tx, store, sources, actor, utc_now).fetch([(symbol, month) for month in bought])
            return reports

    def _needed(
        self, tx: Transactions, symbol: str, now: datetime
    ) -> tuple[Sequence[str], Sequence[queries.WaitingBot]]:
        """Return the months that waiting bots want, without those that failed recently, and those bots."""
        with tx() as session:
            waiting = queries.waiting_bots(session, symbol)
            wanted = months_wanted([bot.window for bot in waiting], now, self.history_months)
            whole = {row.month for row in catalogue.active_months(session, symbol=symbol) if is_whole(row)}
            missing = [month for month in wanted if month not in whole]
            tries: dict[str, dict[str, tuple[BarsFetch, float]]] = {}
            for row, age_s in queries.last_tries(session, symbol, missing):
                tries.setdefault(row.month, {})[row.provider] = (row, age_s)
        return [month for month in missing if not self._in_vain(tries.get(month, {}))], waiting

    def _in_vain(self, tries: Mapping[str, tuple[BarsFetch, float]]) -> bool:
        """Whether asking now would lead no further than the last time, with any of the providers there are."""
        if any(row.error_code is None and age_s < PART_PAUSE.total_seconds() for row, age_s in tries.values()):
            return True
        return all(
            source.provider_id in tries and _fails_again(*tries[source.provider_id], self.max_cost_usd)
            for source in self.sources
        )

    def _affordable(
        self, symbol: str, months: Sequence[str], windows: Sequence[Sequence[str]]
    ) -> tuple[Sequence[BarsSource], Sequence[str], Refusal | None]:
        """Ask what the months cost before they are bought; the next provider where one can't say."""
        first: GantryError | None = None
        for number, source in enumerate(self.sources):
            try:
                bought, refused = affordable(source, symbol, months, windows, limit_usd=self.max_cost_usd)
            except GantryError as error:
                get_logger("supply").warning("no_quote", symbol=symbol, code=error.code.value)
                first = first or error
                continue
            return self.sources[number:], bought, refused
        assert first is not None  # noqa: S101 - there is a source
        return self.sources, (), Refusal(first, None)


def _fails_again(row: BarsFetch, age_s: float, max_cost_usd: Decimal) -> bool:
    if row.error_code is None:
        return False
    if row.cost_usd is not None and row.cost_usd <= max_cost_usd:
        return False  # it was too dear for the limit of that time
    pause = PAUSE if ErrorCode(row.error_code) in PASSING else LASTING
    return age_s < pause.total_seconds()
