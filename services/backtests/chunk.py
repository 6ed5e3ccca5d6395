"""A chunk of claimed jobs: bars read once per symbol, backtests on threads, results in one transaction."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import Engine

from core.errors import GantryError, Kind
from core.ids import new_id
from core.log import get_logger
from core.trace import tracing
from fleet.closed_sets import JobStatus
from fleet.grading_bars import MIN_SESSIONS
from fleet.planner.bars_outlook import Suppliers
from integrations.store import BarsStore
from services.backtests import compute, refreshes
from services.backtests.compute import Computed, Material
from services.backtests.write import Graded, write_completed, write_failed
from services.jobs.failure import GradeFailure, defect_of, failure_of, storable
from services.jobs.lease import LeaseKeeper, LeaseTerms, lease_lost
from services.jobs.plan import BarsKey, Claim
from sql.engine import Transactions
from sql.queries.jobs import read as job_queries
from trading.metrics import Metrics

WRITE_TRIES: Final = 3
THREADS: Final = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class GradedBot:
    """How one bot's job ended: COMPLETED with session and metrics, or FAILED, TIMEOUT, CANCELED with an error."""

    bot_id: UUID
    job_id: UUID | None
    status: JobStatus
    session_id: UUID | None
    metrics: Metrics | None
    error: GradeFailure | None


@dataclass(slots=True)
class ChunkGrader:
    """Grades chunks one after the other; the bars read last stay loaded for the next one.

    run_id: Dagster's run. suppliers: of bars, noted on each job. min_sessions: of real bars, else simulated ones are
    read. Stamps are the caller's; jobs and leases go by the database's clock.
    """

    tx: Transactions
    store: BarsStore
    run_id: str | None
    lease: LeaseTerms
    threads: int = THREADS
    suppliers: Suppliers = Suppliers()  # noqa: RUF009 - frozen
    min_sessions: int = MIN_SESSIONS
    _loaded: tuple[BarsKey, Material] | None = field(default=None, init=False)

    @property
    def symbol(self) -> str | None:
        """The symbol whose bars are loaded."""
        return self._loaded[0].symbol if self._loaded else None

    def grade(self, claims: Sequence[Claim], now: datetime) -> tuple[GradedBot, ...]:
        """Grade claimed jobs; one failing fails alone. What is no longer this worker's is not written."""
        ended: list[GradedBot] = []
        held = {claim.job_id: claim.token for claim in claims}
        by_bars = sorted(claims, key=lambda claim: str(claim.plan.bars))
        with LeaseKeeper(self._engine(), held, self.lease) as keeper:
            for key, group in groupby(by_bars, key=lambda claim: claim.plan.bars):
                ended += self._grade_alike(key, list(group), keeper, now)
        return tuple(ended)

    def _grade_alike(
        self, key: BarsKey, claims: Sequence[Claim], keeper: LeaseKeeper, now: datetime
    ) -> Sequence[GradedBot]:
        """Grade claims that read the same bars; a refresh that would find what is there ends at that."""
        try:
            refreshes.begin(self.tx, claims, key, self.suppliers, self.min_sessions)
            material = self._material(key)
            claims, refreshed = self._refreshed(claims, material, keeper)
        except Exception as error:  # noqa: BLE001 - these bots' edge: those on other bars must still be graded
            problem = error if isinstance(error, GantryError) else defect_of(error)
            return [self._failed(claim, None, problem, keeper, now) for claim in claims]
        done: list[Graded] = []
        failed: list[tuple[Claim, GantryError]] = []
        with ThreadPoolExecutor(max(1, min(self.threads, len(claims))), thread_name_prefix="backtest") as pool:
            for claim, outcome in zip(claims, pool.map(lambda one: _compute(one, material), claims), strict=True):
                keeper.progress = (len(done) + len(failed) + 1) / (len(claims) + 1)
                if isinstance(outcome, GantryError):
                    failed.append((claim, outcome))
                else:
                    done.append(Graded(claim, material, outcome, new_id()))
        ended = self._completed(done, keeper, now)
        return [*refreshed, *ended, *(self._failed(claim, material, error, keeper, now) for claim, error in failed)]

    def _refreshed(
        self, claims: Sequence[Claim], material: Material, keeper: LeaseKeeper
    ) -> tuple[Sequence[Claim], Sequence[GradedBot]]:
        """End refreshes that would write once more what is there; return the other claims, and how these ended."""
        with self.tx() as session:
            there = refreshes.unchanged(session, claims, material)
        if not there:
            return claims, ()
        same = [claim for claim in claims if claim.job_id in there and keeper.may_write(claim.job_id)]
        with self.tx() as session:
            written = refreshes.complete(session, same, there)
        bots = [
            GradedBot(claim.bot_id, claim.job_id, JobStatus.COMPLETED, there[claim.job_id], None, None)
            if claim.job_id in written
            else not_graded(claim.bot_id, claim.job_id, JobStatus.TIMEOUT, lease_lost(claim.job_id))
            for claim in claims
            if claim.job_id in there
        ]
        return [claim for claim in claims if claim.job_id not in there], bots

    def _completed(self, done: Sequence[Graded], keeper: LeaseKeeper, now: datetime) -> Sequence[GradedBot]:
        """Write them in one transaction; where one can't be stored, each in its own, and that one fails alone."""
        mine = [one for one in done if keeper.may_write(one.claim.job_id)]
        gone = [self._outcome(one, written=False) for one in done if one not in mine]
        try:
            written = self._written(mine, now)
        except Exception as error:  # noqa: BLE001 - one bot's edge: the others must still be written
            if len(mine) > 1:
                return [*gone, *(bot for one in mine for bot in self._completed([one], keeper, now))]
            problem = error if isinstance(error, GantryError) else defect_of(error)
            return [*gone, *(self._failed(one.claim, one.material, problem, keeper, now) for one in mine)]
        return [*gone, *(self._outcome(one, written=one.claim.job_id in written) for one in mine)]

    def _written(self, mine: Sequence[Graded], now: datetime) -> frozenset[UUID]:
        """Write, asking again a database that was away for a moment; return the jobs that were written."""
        for attempt in range(WRITE_TRIES):
            try:
                stored = self._stored(mine) if attempt else frozenset()
                left = [one for one in mine if one.claim.job_id not in stored]
                if not left:
                    return stored
                with self.tx() as session:
                    return stored | write_completed(session, left, run_id=self.run_id, now=now)
            except GantryError as error:
                if error.kind is not Kind.UNAVAILABLE:
                    raise
                get_logger("grading").warning("chunk_not_written", jobs=len(mine), error=error.message)
        return frozenset()

    def _stored(self, graded: Sequence[Graded]) -> frozenset[UUID]:
        """Return those that were committed after all: the answer to the commit was lost, not the commit."""
        with self.tx() as session:
            jobs = {
                job.id: job.session_id for job in job_queries.jobs_of(session, [one.claim.job_id for one in graded])
            }
        return frozenset(one.claim.job_id for one in graded if jobs.get(one.claim.job_id) == one.session_id)

    def _outcome(self, one: Graded, *, written: bool) -> GradedBot:
        claim = one.claim
        if not written:
            return not_graded(claim.bot_id, claim.job_id, JobStatus.TIMEOUT, lease_lost(claim.job_id))
        figures = one.computed.metrics
        return GradedBot(claim.bot_id, claim.job_id, JobStatus.COMPLETED, one.session_id, figures, None)

    def _failed(
        self, claim: Claim, material: Material | None, error: GantryError, keeper: LeaseKeeper, now: datetime
    ) -> GradedBot:
        """Write a failure whole, or nothing where the lease is gone."""
        problem = storable(error)
        try:
            keeper.check(claim.job_id)
            with tracing(claim.trace_id), self.tx() as session:
                session_id = write_failed(session, claim, material, problem, run_id=self.run_id, now=now)
        except GantryError as lost:
            return not_graded(claim.bot_id, claim.job_id, JobStatus.TIMEOUT, lost)
        return GradedBot(claim.bot_id, claim.job_id, JobStatus.FAILED, session_id, None, failure_of(problem))

    def _material(self, key: BarsKey) -> Material:
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = None  # let the last symbol's bars go before the next one's come
            self._loaded = (key, compute.load_material(self.tx, self.store, key, min_sessions=self.min_sessions))
        return self._loaded[1]

    def _engine(self) -> Engine:
        with self.tx() as session:
            return session.get_bind().engine


def _compute(claim: Claim, material: Material) -> Computed | GantryError:
    """Backtest one bot; whatever goes wrong is that bot's alone. The equity of every bar isn't kept: days are."""
    with tracing(claim.trace_id):
        try:
            computed = compute.compute(claim.plan, material)
        except GantryError as error:
            return error
        except Exception as defect:  # noqa: BLE001 - one bot's edge: the others must still be graded
            return defect_of(defect)
    nothing = np.empty(0, np.int64)
    return replace(computed, result=replace(computed.result, equity_e4=nothing, ts=nothing, session=nothing))


def not_graded(bot_id: UUID, job_id: UUID, status: JobStatus, error: GantryError) -> GradedBot:
    """Return a bot of whom nothing was written."""
    return GradedBot(bot_id, job_id, status, None, None, failure_of(error))
