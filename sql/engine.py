"""Connections to the domain database: URLs, engine, transactions, and what a server must be able to do."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind
from core.settings import Settings

Transactions = Callable[[], AbstractContextManager[Session]]
POOL_SIZE = 20
MINIMUM_VERSION = 160_000


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """owner migrates; app is what everything else uses; dagster is Dagster's own, in its schema."""

    owner: str
    app: str
    dagster: str


def connect(url: str, *, pool_size: int = POOL_SIZE) -> Engine:
    """Return an engine on psycopg 3; a connection is waited for 2 s."""
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    return create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            "options": "-c timezone=UTC -c statement_timeout=30000 -c lock_timeout=10000",
            "application_name": "gantry",
        },
    )


def transactions(engine: Engine) -> Transactions:
    """Return a factory of transactions: commit at the end of the block, roll back on any exception."""

    @contextmanager
    def begin() -> Iterator[Session]:
        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except PoolTimeout as error:
            raise unavailable("All database connections are in use.") from error

    return begin


def unavailable(message: str) -> GantryError:
    """DATABASE_UNAVAILABLE."""
    return GantryError(
        ErrorCode.DATABASE_UNAVAILABLE,
        message,
        fix="Try again in some seconds; `gantry status` shows whether Postgres runs.",
        kind=Kind.UNAVAILABLE,
    )


def database_urls(settings: Settings) -> DatabaseUrls:
    """Return the URLs of DATABASE_URL's server, else of the embedded Postgres that runs on this home.

    Raises:
        GantryError: DATABASE_UNAVAILABLE when the embedded Postgres doesn't run.

    """
    if settings.database_url:
        owner = make_url(settings.database_url).set(drivername="postgresql")
        return _urls(owner, owner)
    from sql.embedded import read_state

    state = read_state(settings.gantry_home / "postgres")
    if state is None:
        raise GantryError(
            ErrorCode.DATABASE_UNAVAILABLE,
            "The embedded Postgres doesn't run.",
            fix="Start it with `gantry up`, or set DATABASE_URL.",
            kind=Kind.UNAVAILABLE,
        )
    return _urls(make_url(state.owner_url), make_url(state.app_url))


def _urls(owner: URL, app: URL) -> DatabaseUrls:
    dagster = owner.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
    glue = "&" if "?" in dagster else "?"
    return DatabaseUrls(
        owner.render_as_string(hide_password=False),
        app.render_as_string(hide_password=False),
        f"{dagster}{glue}options=-csearch_path%3Ddagster",
    )


def check_server(engine: Engine) -> None:
    """Refuse a server that is too old, or on which the owner may not create schemas.

    Raises:
        GantryError: DATABASE_UNAVAILABLE or ENVIRONMENT_INVALID, saying what is missing.

    """
    try:
        with engine.connect() as connection:
            version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
            may_create = connection.execute(
                text("SELECT has_database_privilege(current_database(), 'CREATE')")
            ).scalar_one()
    except OperationalError as error:
        raise unavailable(f"Postgres doesn't answer: {str(error.orig).strip().splitlines()[0]}") from error
    missing = []
    if version < MINIMUM_VERSION:
        missing.append(f"it is version {version // 10_000}, 16 or newer is needed")
    if not may_create:
        missing.append("the user may not create schemas in this database")
    if missing:
        raise GantryError(
            ErrorCode.ENVIRONMENT_INVALID,
            f"DATABASE_URL's server can't be used: {'; '.join(missing)}.",
            fix="Name a Postgres 16 or newer, and grant CREATE on the database to the user.",
        )
