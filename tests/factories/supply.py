"""Bars that vendors' stand-ins supply: clients of theirs, and workers that wait for those bars."""

from datetime import UTC, datetime

from core.ids import new_id
from fleet.caps import Caps
from integrations.databento.client import DatabentoBars
from integrations.http.gate import ProviderGate
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from integrations.polygon.client import PolygonBars
from integrations.simulator.months import simulate_month
from integrations.store import BarsStore
from services.jobs.terms import GradeTerms
from services.starter.pack import create_starter_pack
from services.supply.top_up import Supply
from services.usage import UsageLog
from services.work.pull import PullWorker, WorkReport
from sql.engine import Transactions
from sql.tables.workers import WorkerRun
from tests.factories.databases import OwnerSql
from tests.standins.databento import DatabentoStandIn
from tests.standins.polygon import PolygonStandIn
from trading.bars.months import concatenate
from trading.bars.schema import NS_PER_SECOND, Bars
from trading.instruments import get_instrument

NOW = datetime(2024, 4, 2, 12, tzinfo=UTC)
MONTHS = JANUARY, FEBRUARY, MARCH = "2024-01", "2024-02", "2024-03"
POLICY = CallPolicy(deadline_s=5, connect_s=1, attempts=3, backoff_s=0.05, calls_per_minute=60_000, burst=100)


def bars_of(symbol: str, *months: str) -> Bars:
    """Months of bars that a vendor could have."""
    return concatenate([simulate_month(get_instrument(symbol), month, 7) for month in months])


def databento(tx: Transactions, vendor: DatabentoStandIn) -> DatabentoBars:
    """A client of Databento's stand-in, whose calls are noted."""
    return DatabentoBars(
        vendor.key, ProviderGate("databento", POLICY, UsageLog(tx), Limiter(None)), base_url=vendor.url
    )


def polygon(tx: Transactions, vendor: PolygonStandIn) -> PolygonBars:
    """A client of Polygon's stand-in, whose calls are noted."""
    return PolygonBars(vendor.key, ProviderGate("polygon", POLICY, UsageLog(tx), Limiter(None)), base_url=vendor.url)


def pull(tx: Transactions, store: BarsStore, supply: Supply) -> WorkReport:
    """Let one worker pull until nothing waits."""
    with tx() as session:
        worker = WorkerRun(id=new_id(), job_type="BACKTEST", trace_id="0" * 31 + "1")
        session.add(worker)
    terms = GradeTerms(caps=Caps(100, 100, 100))
    return PullWorker(
        tx,
        store,
        worker.id,
        "run-1",
        terms,
        lambda: NOW,
        on_chunk=lambda _chunk: None,
        top_up=lambda symbol: supply.top_up(tx, store, symbol, actor="test", now=NOW) is not None,
        idle_s=0.2,
    ).run()


def pack(tx: Transactions, symbols: tuple[str, ...] = ("ES",), count: int = 1) -> None:
    """Queue a starter pack whose jobs have one attempt each."""
    with tx() as session:
        create_starter_pack(session, symbols=symbols, count=count, actor="test", now=NOW, max_attempts=1)


def until(bars: Bars, moment: datetime) -> Bars:
    """The bars that begin before a moment."""
    return bars.take(slice(0, int((bars.ts < int(moment.timestamp()) * NS_PER_SECOND).sum())))


def usage(owner_sql: OwnerSql) -> list[tuple[str, str]]:
    """Action and status of every call that was noted, in order."""
    return [(row[0], row[1]) for row in owner_sql("SELECT action, status FROM integration_usage_events ORDER BY id")]
