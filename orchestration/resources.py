"""The resource `domain`, from settings: one engine and one pool a process, whatever the number of ticks and steps."""

from functools import lru_cache

from dagster import InitResourceContext, resource

from assets.domain import Domain
from core.settings import Settings, get_settings
from integrations.store import BarsStore
from services.jobs.lease import LeaseTerms
from services.jobs.terms import GradeTerms, improve_budget_of
from services.planner.terms import caps_of, planner_terms_of
from services.supply.sources import supply_of
from services.supply.suppliers import suppliers_of
from sql.engine import connect, database_urls, transactions

POOL_SIZE = 5  # a code server's few threads, or one run; the API has a pool of its own


@lru_cache(maxsize=1)
def open_domain() -> Domain:
    """Connect to the domain database as the application role, and to the folder of bars.

    Raises:
        GantryError: DATABASE_UNAVAILABLE when no database is known.

    """
    settings = get_settings()
    engine = connect(database_urls(settings).app, pool_size=POOL_SIZE)
    tx = transactions(engine)
    return Domain(
        tx,
        BarsStore(str(settings.gantry_home / "bars")),
        supply=supply_of(settings, tx),
        terms=_terms(settings),
        max_workers=settings.max_workers,
        planner=planner_terms_of(settings),
    )


def _terms(settings: Settings) -> GradeTerms:
    return GradeTerms(
        LeaseTerms(settings.lease_seconds, settings.heartbeat_seconds),
        settings.max_attempts,
        caps=caps_of(settings),
        max_job_minutes=settings.max_job_minutes,
        suppliers=suppliers_of(settings),
        improve=improve_budget_of(settings),
        min_sessions=settings.min_sessions_for_grading,
    )


@resource(description="Transactions of the domain database, and the store of bars.")
def domain_resource(_context: InitResourceContext) -> Domain:
    """Return the process's domain."""
    return open_domain()
