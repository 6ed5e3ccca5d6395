"""The pull loop of a worker: claim a chunk, work on it, report it, until nothing waits or its time is up.

A worker is for backtests, in chunks, or for improvements, one at a time: both kinds pull, beat and end alike.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from core.errors import GantryError
from core.log import get_logger
from fleet.caps import BACKTESTS
from fleet.closed_sets import JobType
from integrations.store import BarsStore
from services.backtests.chunk import ChunkGrader, GradedBot
from services.improve.run import ImprovedBot, Improver
from services.jobs.beat import Beat
from services.jobs.claim import claim_chunk
from services.jobs.plan import Claim
from services.jobs.terms import GradeTerms
from services.work import workers
from sql.engine import Transactions
from sql.queries.jobs import claim as queries

IDLE_S: Final = 5.0
LIFE_S: Final = 600.0
POLL_S: Final = 0.5
CHUNKS_OF_A_SYMBOL: Final = 20  # then the oldest job decides again, so that no symbol starves


@dataclass(frozen=True, slots=True)
class WorkReport:
    """What a worker did, and why it stopped."""

    jobs_done: int
    reason: str


@dataclass(slots=True)
class PullWorker:
    """One worker run.

    on_chunk: called for every chunk that was graded. on_improved: for every improvement that ended; job_types says
    which of the two the worker does: BACKTESTS or IMPROVING. top_up: sees that a symbol has bars, before its jobs are
    claimed; False while somebody else is at it: then the next symbol's jobs are.
    """

    tx: Transactions
    store: BarsStore
    worker_id: UUID
    run_id: str
    terms: GradeTerms
    clock: Callable[[], datetime]
    on_chunk: Callable[[Sequence[GradedBot]], None]
    top_up: Callable[[str], bool]
    idle_s: float = IDLE_S
    life_s: float = LIFE_S
    job_types: frozenset[JobType] = BACKTESTS
    on_improved: Callable[[ImprovedBot], None] = lambda _bot: None
    _done: int = field(default=0, init=False)
    _chunks: int = field(default=0, init=False)

    def run(self) -> WorkReport:
        """Pull until 5 s went without work, 10 minutes are over, or the worker's row was ended by someone."""
        if not workers.begin(self.tx, self.worker_id, run_id=self.run_id):
            return WorkReport(0, "ENDED")
        terms = self.terms
        grader = ChunkGrader(
            self.tx,
            self.store,
            self.run_id,
            terms.lease,
            suppliers=terms.suppliers,
            min_sessions=terms.min_sessions,
        )
        began = worked = time.monotonic()
        every_s = terms.lease.heartbeat_s
        with Beat(self._is_wanted, name="worker-heart", every_s=every_s, join_s=every_s) as heart:
            while not heart.ended.is_set():
                if time.monotonic() - began > self.life_s:
                    return self._finish("LIFE_OVER")
                chunk = self._claim(grader.symbol)
                if not chunk:
                    if time.monotonic() - worked > self.idle_s:
                        return self._finish("IDLE")
                    heart.ended.wait(POLL_S)
                    continue
                self._work(chunk, grader)
                worked = time.monotonic()
        return WorkReport(self._done, "ENDED")

    def _work(self, chunk: Sequence[Claim], grader: ChunkGrader) -> None:
        if self.job_types == BACKTESTS:
            graded = grader.grade(chunk, self.clock())
            self._done += len(graded)
            self.on_chunk(graded)
            return
        for claim in chunk:
            improved = Improver(self.tx, self.store, self.terms).improve(claim)
            self._done += 1
            self.on_improved(improved)

    def _is_wanted(self) -> bool:
        """Renew the worker's heartbeat; return whether it should go on, which it does while the database is away."""
        try:
            return workers.beat(self.tx, self.worker_id, jobs_done=self._done)
        except GantryError:
            get_logger("worker").warning("heartbeat_failed", worker_id=str(self.worker_id), exc_info=True)
            return True

    def _finish(self, reason: str) -> WorkReport:
        workers.finish(self.tx, self.worker_id, reason=reason, jobs_done=self._done)
        return WorkReport(self._done, reason)

    def _claim(self, loaded: str | None) -> tuple[Claim, ...]:
        """Prefer the symbol whose bars are loaded, for a bounded number of chunks; then the one that waits longest."""
        self._chunks += 1
        if loaded is not None and self._chunks <= CHUNKS_OF_A_SYMBOL:
            more = self._take(loaded)
            if more:
                return more
        self._chunks = 0
        busy: set[str] = set()
        while True:
            with self.tx() as session:
                symbol = queries.oldest_symbol(session, self.job_types, but=busy)
            if symbol is None:
                return ()
            if self._topped_up(symbol):
                taken = self._take(symbol)
                if taken or self.terms.caps.per_symbol is None:
                    return taken  # nothing, where the caps of all symbols are reached: another one gets no more
            busy.add(symbol)  # its bars are on their way, or its own cap is reached

    def _topped_up(self, symbol: str) -> bool:
        try:
            return self.top_up(symbol)
        except Exception:  # noqa: BLE001 - without bars its jobs fail with a reason; unclaimed they would wait for ever
            get_logger("worker").exception("top_up_failed", symbol=symbol)
            return True

    def _take(self, symbol: str) -> tuple[Claim, ...]:
        with self.tx() as session:
            return claim_chunk(
                session,
                caps=self.terms.caps,
                most=self.terms.chunk if self.job_types == BACKTESTS else 1,
                terms=self.terms.lease,
                run_id=self.run_id,
                job_types=self.job_types,
                worker_id=self.worker_id,
                symbol=symbol,
            )
