"""One claimed improvement: its search step by step, its state kept after each, its outcome in one transaction."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Engine

from core.errors import GantryError, Kind
from core.ids import new_id
from core.log import get_logger
from core.trace import tracing
from fleet.closed_sets import ImprovementVerdict, JobStatus, JobType
from integrations.store import BarsStore
from services.backtests import refreshes
from services.backtests.compute import Material, load_material
from services.improve.outcome import Found, Looking
from services.improve.search import begin_search, outcome_of, with_history
from services.improve.write import save_step, write_outcome
from services.jobs.failure import GradeFailure, defect_of, failure_of, storable
from services.jobs.finish import fail_job
from services.jobs.lease import LeaseKeeper
from services.jobs.plan import Claim
from services.jobs.terms import GradeTerms
from sql.engine import Transactions
from sql.queries.improve import improvements as queries
from sql.queries.jobs import finish as finish_queries

WRITE_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class ImprovedBot:
    """How one improvement ended: COMPLETED with its verdict, or FAILED, TIMEOUT, CANCELED with an error."""

    bot_id: UUID
    job_id: UUID | None
    job_type: JobType
    status: JobStatus
    verdict: ImprovementVerdict | None
    error: GradeFailure | None


@dataclass(frozen=True, slots=True)
class Improver:
    """Improves one bot after the other, each on bars read anew."""

    tx: Transactions
    store: BarsStore
    terms: GradeTerms

    def improve(self, claim: Claim) -> ImprovedBot:
        """Improve a claimed bot; what is no longer this worker's is not written. Nothing is open while computing."""
        held = {claim.job_id: claim.token}
        with tracing(claim.trace_id), LeaseKeeper(self._engine(), held, self.terms.lease) as keeper:
            try:
                key, min_sessions = claim.plan.bars, self.terms.min_sessions
                refreshes.begin(self.tx, [claim], key, self.terms.suppliers, min_sessions)
                material = load_material(self.tx, self.store, key, min_sessions=min_sessions)
                looking = self._looking(claim, material)
                self._step(claim, looking, keeper)
                keeper.check(claim.job_id)
                verdict = self._written(claim, material, outcome_of(looking, claim))
            except Exception as error:  # noqa: BLE001 - this bot's edge: the worker goes on with others
                return self._failed(claim, error if isinstance(error, GantryError) else defect_of(error), keeper)
        return ImprovedBot(claim.bot_id, claim.job_id, claim.job_type, JobStatus.COMPLETED, verdict, None)

    def _looking(self, claim: Claim, material: Material) -> Looking:
        with self.tx() as session:
            state = queries.state_of(session, claim.root_job_id)
            before = queries.sets_tried(session, claim.bot_id, material.loaded.bars_hash)
        budget = with_history(self.terms.improve, before)
        return begin_search(claim, material, budget=budget, proposals=self.terms.proposals, state=state)

    def _step(self, claim: Claim, looking: Looking, keeper: LeaseKeeper) -> None:
        """Do the steps that are left; a worker that takes over continues after the last one that was kept."""
        search = looking.search
        keeper.progress = search.steps_done / search.total_steps
        while search.steps_done < search.total_steps:
            search.step()
            keeper.check(claim.job_id)
            keeper.progress = search.steps_done / search.total_steps  # before it is kept: a heartbeat mustn't undo it
            with self.tx() as session:
                save_step(session, claim, looking)

    def _written(self, claim: Claim, material: Material, found: Found) -> ImprovementVerdict:
        """Write the outcome, asking again a database that was away for a moment."""
        improvement_id = new_id()
        for attempt in range(WRITE_TRIES):
            try:
                with self.tx() as session:
                    # The answer to a commit may have been lost, not the commit.
                    there = queries.of_jobs(session, [claim.job_id]) if attempt else ()
                    if there:
                        return ImprovementVerdict(there[0].verdict)
                    return write_outcome(session, claim, material, found, improvement_id=improvement_id)
            except GantryError as error:
                if error.kind is not Kind.UNAVAILABLE or attempt == WRITE_TRIES - 1:
                    raise
                get_logger("improving").warning("outcome_not_written", error=error.message)
        raise AssertionError("unreachable")

    def _failed(self, claim: Claim, error: GantryError, keeper: LeaseKeeper) -> ImprovedBot:
        """Write a failure, or nothing where the lease is gone."""
        problem, status = storable(error), JobStatus.FAILED
        try:
            keeper.check(claim.job_id)
            with self.tx() as session:
                finish_queries.hold_versions(session, [claim.bot_id])
                fail_job(session, claim, problem, session_id=None)
        except GantryError as lost:
            problem, status = lost, JobStatus.TIMEOUT
        return ImprovedBot(claim.bot_id, claim.job_id, claim.job_type, status, None, failure_of(problem))

    def _engine(self) -> Engine:
        with self.tx() as session:
            return session.get_bind().engine
