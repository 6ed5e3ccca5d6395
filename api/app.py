"""The API: routes, envelope, edges. Run it with `uvicorn --factory api.app:create_app`."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from functools import cache

import anyio.to_thread
from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from api import errors, idempotency, openapi
from api.edge import Edge
from api.query_names import refuse_unknown_query
from api.routers import (
    activity,
    admin,
    backtests,
    bars,
    bots,
    health,
    jobs,
    overview,
    planner,
    promotion,
    proof,
    starter,
    versions,
)
from core.production import refuse_unsafe_production
from core.settings import Settings, get_settings
from sql.engine import POOL_SIZE, Transactions, connect, database_urls, transactions

ROUTERS = (
    health.router,
    openapi.router,
    starter.router,
    bots.router,
    overview.router,
    versions.router,
    promotion.router,
    backtests.router,
    jobs.router,
    activity.router,
    bars.router,
    proof.router,
    planner.router,
    admin.router,
)


def create_app(*, settings: Settings | None = None, tx: Transactions | None = None) -> FastAPI:
    """Return the application. Without `tx` it connects to the settings' database at the first request that needs it."""
    settings = settings or get_settings()
    refuse_unsafe_production(settings)
    app = FastAPI(
        title="Gantry",
        version="0.1.0",
        description="Control plane for fleets of futures bots.",
        openapi_url=None,  # `api.openapi` has the route: a route of FastAPI's own has no dependencies
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        dependencies=[Depends(refuse_unknown_query)],
    )
    app.state.settings = settings
    app.state.tx = tx or _late(lambda: transactions(connect(database_urls(settings).app)))
    for router in ROUTERS:
        app.include_router(router)
    errors.install(app)
    app.add_exception_handler(idempotency.Replayed, idempotency.replay)
    openapi.describe(app)
    app.add_middleware(Edge, settings=settings)
    return app


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Twice as many threads as requests may be in a transaction: the others always get one.

    What was imported stays to the end: a full garbage collection that walks it all stopped every request for 120 ms.
    """
    anyio.to_thread.current_default_thread_limiter().total_tokens = 2 * POOL_SIZE
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def _late(make: Callable[[], Transactions]) -> Transactions:
    made = cache(make)

    def begin() -> AbstractContextManager[Session]:
        return made()()

    return begin
