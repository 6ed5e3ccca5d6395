"""Connections to the domain database: URLs, engine, transactions, and what a server must be able to do."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind
from core.settings import Settings
from sql.constraints import as_domain_error
from sql.roles import APP, missing_rights

Transactions = Callable[[], AbstractContextManager[Session]]
POOL_SIZE = 20
MINIMUM_VERSION = 160_000
_SESSION_OPTIONS = (
    "-ctimezone=UTC",
    "-cstatement_timeout=30000",
    "-clock_timeout=10000",
    # A process that is stopped within a transaction would keep its locks, and the fleet waiting, for as long as it is.
    "-cidle_in_transaction_session_timeout=10000",
)


# What the next try may not meet again, the narrower kind first.
_PASSING: Final[tuple[tuple[tuple[type[BaseException], ...], str], ...]] = (
    (
        (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled),
        "The database was too busy to answer in time.",
    ),
    (
        (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure),
        "Two changes conflicted; this one was rolled back.",
    ),
    (
        (psycopg.errors.IdleInTransactionSessionTimeout,),
        "A transaction was idle for too long and was rolled back.",
    ),
    ((psycopg.errors.DiskFull,), "The database's disk is full."),
    ((psycopg.OperationalError, psycopg.InterfaceError), "Postgres doesn't answer."),
)


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """owner migrates; app is what everything else uses; dagster is Dagster's own, in its schema."""

    owner: str
    app: str
    dagster: str


def connect(url: str, *, pool_size: int = POOL_SIZE) -> Engine:
    """Return an engine on psycopg 3: times in UTC, statements end after 30 s, a free connection is waited for 2 s.

    A transaction that is idle for 10 s is ended, with its connection.
    """
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    given = parsed.query.get("options", ())
    options = " ".join((*_SESSION_OPTIONS, *((given,) if isinstance(given, str) else given)))
    return create_engine(
        parsed.difference_update_query(["options"]),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "options": options, "application_name": "gantry"},
    )


def transactions(engine: Engine) -> Transactions:
    """Return a factory of transactions: commit at the end of the block, roll back on any exception.

    What the database refuses comes out as the domain's error: a named constraint by its meaning, a database that is
    gone, locked or too slow as DATABASE_UNAVAILABLE. What only a defect can cause stays what it is.
    """

    @contextmanager
    def begin() -> Iterator[Session]:
        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except (SQLAlchemyError, psycopg.Error) as error:
            translated = translate(error)
            if translated is None:
                raise
            raise translated from error

    return begin


def translate(error: SQLAlchemyError | psycopg.Error) -> GantryError | None:
    """Return the domain's error for what the database refused, None for a defect of ours."""
    if isinstance(error, PoolTimeout):
        return unavailable("All database connections are in use.")
    cause = error.orig if isinstance(error, DBAPIError) else error
    for kinds, message in _PASSING:
        if isinstance(cause, kinds):
            return unavailable(message)
    return as_domain_error(error)


def unavailable(message: str) -> GantryError:
    """DATABASE_UNAVAILABLE."""
    return GantryError(
        ErrorCode.DATABASE_UNAVAILABLE,
        message,
        fix="Try again in a few seconds; `gantry status` shows whether Postgres is running.",
        kind=Kind.UNAVAILABLE,
    )


def database_urls(settings: Settings) -> DatabaseUrls:
    """Return the URLs of DATABASE_URL's server, else of the embedded Postgres that runs on this home.

    DATABASE_URL's user is the owner; the application connects as the same user and takes the lesser role.

    Raises:
        GantryError: DATABASE_UNAVAILABLE when the embedded Postgres doesn't run; ENVIRONMENT_INVALID for a
            DATABASE_URL that is not a Postgres URL.

    """
    if settings.database_url:
        owner = _parse(settings.database_url)
        return _urls(owner, _with_options(owner, f"-crole={APP}"))
    from sql.embedded import read_state

    state = read_state(settings.gantry_home / "postgres")
    if state is None:
        raise GantryError(
            ErrorCode.DATABASE_UNAVAILABLE,
            "The embedded Postgres isn't running.",
            fix="Start it with `gantry up`, or set DATABASE_URL.",
            kind=Kind.UNAVAILABLE,
        )
    return _urls(make_url(state.owner_url), make_url(state.app_url))


def check_server(engine: Engine) -> None:
    """Refuse a server that is too old or of another encoding, or on which the owner lacks a right.

    Raises:
        GantryError: DATABASE_UNAVAILABLE or ENVIRONMENT_INVALID, saying what is missing.

    """
    try:
        with engine.connect() as connection:
            version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
            encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
            missing = missing_rights(connection)
    except OperationalError as error:
        raise unavailable(f"Postgres doesn't answer: {str(error.orig).strip().splitlines()[0]}") from error
    if encoding != "UTF8":
        missing.insert(0, f"its encoding is {encoding}, UTF8 is needed")
    if version < MINIMUM_VERSION:
        missing.insert(0, f"it is version {version // 10_000}, {MINIMUM_VERSION // 10_000} or newer is needed")
    if missing:
        raise GantryError(
            ErrorCode.ENVIRONMENT_INVALID,
            f"The database can't be used: {'; '.join(missing)}.",
            fix="Fix that on the server, or set DATABASE_URL to another one.",
        )


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        known = parsed.get_backend_name() in {"postgresql", "postgres"} and bool(parsed.database)
    except (ArgumentError, ValueError):
        known = False
    if not known:  # the text is not repeated: it may hold a password
        raise GantryError(
            ErrorCode.ENVIRONMENT_INVALID,
            "DATABASE_URL is not a Postgres URL.",
            fix="Write it as postgresql://user:password@host:5432/database.",
        )
    return parsed.set(drivername="postgresql")


def _urls(owner: URL, app: URL) -> DatabaseUrls:
    dagster = _with_options(owner.set(drivername="postgresql+psycopg2"), "-csearch_path=dagster")
    return DatabaseUrls(_render(owner), _render(app), _render(dagster))


def _with_options(url: URL, option: str) -> URL:
    given = url.query.get("options", ())
    return url.update_query_dict({"options": " ".join((*((given,) if isinstance(given, str) else given), option))})


def _render(url: URL) -> str:
    """Blanks as %20, as libpq wants them: it reads a `+` as a plus, and refuses a bare blank."""
    before, mark, query = url.render_as_string(hide_password=False).partition("?")
    return before.replace(" ", "%20") + mark + query.replace("+", "%20")
