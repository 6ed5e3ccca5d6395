"""The database under the supervisor: the embedded Postgres, or the one DATABASE_URL names, which isn't ours to run."""

import asyncio
import time

from cli.console import note
from cli.up.backoff import next_restart
from cli.up.board import Board
from cli.up.home import Home
from cli.up.state import POSTGRES, ProcessState
from core.errors import GantryError
from core.settings import Settings
from sql.embedded import EmbeddedPostgres

WATCH_S = 0.2


class Database:
    """Starts Postgres, starts it again on the same port when it dies, and stops it last."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._folder = home.root / "postgres"
        self._external = settings.database_url is not None
        self._port = settings.gantry_pg_port
        self._postgres: EmbeddedPostgres | None = None
        self._lives = False

    def start(self, board: Board) -> None:
        """Start it, from the main thread: the kernel ends Postgres when the thread that started it ends.

        Raises GantryError: a taken port; a folder that is read-only, full, of another version, in use.
        """
        if self._external:
            return
        self._postgres = EmbeddedPostgres(self._folder, self._port)
        running = self._postgres.start()
        self._lives = True
        self._port = running.port  # others know this one: it stays for as long as this supervisor lives
        board.set(POSTGRES, ProcessState.RUNNING, pid=running.pid)

    async def keep(self, board: Board) -> None:
        """Watch until canceled."""
        deaths = 0
        began = time.monotonic()
        while self._postgres is not None:
            await asyncio.sleep(WATCH_S)
            if self._lives and self._postgres.process.poll() is None:
                continue
            self._lives = False
            restart = next_restart(deaths, time.monotonic() - began)
            deaths = restart.deaths
            board.set(POSTGRES, ProcessState.RESTARTING, pid=None)
            note(f"postgres ended; starting it again in {restart.pause_s:g} s")
            await asyncio.sleep(restart.pause_s)
            self._postgres.stop()
            began = time.monotonic()
            try:
                self.start(board)
            except GantryError as error:  # what it left may need another moment to go
                note(str(error))

    def stop(self, board: Board) -> None:
        """Stop it in order."""
        if self._postgres is not None:
            self._postgres.stop()
            board.set(POSTGRES, ProcessState.STOPPED, pid=None)
