"""Workers that pull jobs."""

from core.ids import new_id
from integrations.store import BarsStore
from services.bars.simulate import ensure_simulated
from services.jobs.terms import GradeTerms
from services.work.pull import PullWorker
from sql.engine import Transactions
from sql.tables.workers import WorkerRun
from tests.factories.bots import NOW


def pull(tx: Transactions, store: BarsStore, terms: GradeTerms | None = None, top_up: object = None) -> PullWorker:
    """A worker for backtests with a row of its own; bars are simulated unless something is given for top_up."""
    with tx() as session:
        row = WorkerRun(id=new_id(), job_type="BACKTEST", trace_id="0" * 32)
        session.add(row)

    def ensure(symbol: str) -> bool:
        ensure_simulated(tx, store, symbol, actor="test", now=NOW)
        return True

    return PullWorker(
        tx, store, row.id, "run-1", terms or GradeTerms(), lambda: NOW, on_chunk=lambda _bots: None,
        top_up=ensure if top_up is None else lambda _symbol: True, idle_s=0.0,
    )  # fmt: skip
