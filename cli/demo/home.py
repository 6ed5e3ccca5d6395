"""The demo's own data folder and database: made fresh, so that a demo never touches what `gantry up` keeps."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.up.home import Home, open_home
from cli.up.prepare import prepare_dagster
from cli.up.state import Lock
from core.errors import ErrorCode, GantryError, Kind
from core.settings import get_settings
from integrations.store import BarsStore
from sql.embedded import EmbeddedPostgres
from sql.engine import Transactions, connect, database_urls, transactions
from sql.migrate import upgrade

MARKER = ".gantry-demo"
OURS = ("DATABASE_URL", "GANTRY_PG_PORT", "DAGSTER_HOME", "GANTRY_DAGSTER_URL")


@dataclass(frozen=True, slots=True)
class DemoHome:
    """A migrated database and a store for bars; `kept`: they hold what an earlier demo left."""

    folder: Path
    tx: Transactions
    store: BarsStore
    kept: bool


@contextmanager
def demo_home(*, keep: bool) -> Iterator[DemoHome]:
    """Open GANTRY_HOME/demo, emptied unless `keep`, with its own Postgres running; this process's settings follow.

    Raises GantryError: another demo runs, or the folder isn't a demo's.
    """
    outer = open_home(get_settings().gantry_home)
    lock = Lock(outer.root / "run" / "demo.lock")
    if not lock.acquire():
        raise GantryError(
            ErrorCode.CONFLICT,
            f"A demo already runs on {outer.root}.",
            fix="Wait for it, or set GANTRY_HOME to another folder.",
            kind=Kind.CONFLICT,
        )
    try:
        home = _fresh(outer, keep=keep)
        _follow(home)
        with EmbeddedPostgres(home.root / "postgres"):
            urls = database_urls(get_settings())
            upgrade(urls.owner)
            prepare_dagster(home.root, urls.dagster)
            engine = connect(urls.app)
            try:
                yield DemoHome(home.root, transactions(engine), BarsStore(str(home.root / "bars")), keep)
            finally:
                engine.dispose()
    finally:
        lock.release()


def _fresh(outer: Home, *, keep: bool) -> Home:
    folder = outer.root / "demo"
    if folder.exists() and not keep:
        if not (folder / MARKER).exists():
            raise GantryError(
                ErrorCode.CONFLICT,
                f"{folder} wasn't made by a demo, so it isn't emptied.",
                fix="Move it away, or set GANTRY_HOME to another folder.",
                kind=Kind.CONFLICT,
            )
        shutil.rmtree(folder)
    folder.mkdir(exist_ok=True)
    (folder / MARKER).touch()
    return open_home(folder)


def _follow(home: Home) -> None:
    """Let everything this process loads from now on see the demo's folder alone."""
    for name in OURS:
        os.environ.pop(name, None)
    os.environ["GANTRY_HOME"] = str(home.root)
    get_settings.cache_clear()
