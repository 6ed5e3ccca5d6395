"""A Postgres that DATABASE_URL names: its user owns the tables, the application takes the lesser role."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core.errors import GantryError
from core.settings import Settings
from sql.embedded import EmbeddedPostgres
from sql.embedded_folder import password
from sql.engine import check_server, connect, database_urls, transactions
from sql.migrate import upgrade
from tests.factories.bots import make_bot
from tests.factories.databases import HURRIED

Superuser = psycopg.Connection[tuple[object, ...]]


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superuser]:
    """The superuser of a server that has never heard of Gantry's roles."""
    folder = tmp_path_factory.mktemp("foreign")
    with EmbeddedPostgres(folder, settings=HURRIED) as state:
        secret = password(folder, "superuser")
        url = f"postgresql://postgres:{secret}@127.0.0.1:{state.port}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in ("DROP DATABASE gantry", "DROP ROLE gantry_app", "DROP ROLE gantry_owner"):
                connection.execute(statement.encode())
            yield connection


def _url(foreign: Superuser, user: str, *, rights: str = "") -> str:
    """A new user with a database of its own."""
    foreign.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'p%:/@ word' {rights}".encode())
    foreign.execute(f"CREATE DATABASE {user}s OWNER {user}".encode())
    return f"postgres://{user}:p%25%3A%2F%40%20word@127.0.0.1:{foreign.info.port}/{user}s"


def test_a_user_who_may_not_create_the_role_learns_what_to_run_and_that_suffices(foreign: Superuser) -> None:
    urls = database_urls(Settings(DATABASE_URL=_url(foreign, "tenant")))
    engine = connect(urls.owner)
    with pytest.raises(GantryError) as caught:
        check_server(engine)
    asked = caught.value.message.partition("(")[2].partition(")")[0]
    assert asked == "CREATE ROLE gantry_app; GRANT gantry_app TO tenant"
    for statement in asked.split(";"):
        foreign.execute(statement.encode())
    check_server(engine)
    engine.dispose()
    upgrade(urls.owner)
    foreign.execute("DROP DATABASE tenants")
    foreign.execute("DROP ROLE gantry_app")


def test_a_user_who_may_create_roles_needs_nothing_else(foreign: Superuser) -> None:
    urls = database_urls(Settings(DATABASE_URL=_url(foreign, "landlord", rights="CREATEROLE")))
    owner = connect(urls.owner)
    check_server(owner)
    upgrade(urls.owner)
    check_server(owner)
    owner.dispose()
    with psycopg.connect(urls.app) as connection:  # what psql would read
        assert connection.execute("SELECT current_user::text").fetchone() == ("gantry_app",)
    app = connect(urls.app)
    with transactions(app)() as session:
        make_bot(session)
        assert session.scalar(text("SELECT current_user")) == "gantry_app"
        with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
            session.execute(text("DELETE FROM bot_versions"))
    app.dispose()
