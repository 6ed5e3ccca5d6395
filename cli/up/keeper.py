"""Keep one service alive: start it, wait until it answers, start it again when it dies or no longer answers."""

import asyncio
import time
from pathlib import Path

from cli.console import note
from cli.up.backoff import GIVE_UP_AFTER, next_restart
from cli.up.board import Board
from cli.up.child import Child
from cli.up.health import answers
from cli.up.listeners import listens
from cli.up.output import last_lines
from cli.up.plan import ROOT, StartPlan, base_environment
from cli.up.services import Service
from cli.up.state import ProcessState
from core.clock import utc_now
from core.errors import ErrorCode, GantryError, Kind

POLL_S = 0.2
WATCH_S = 10.0
MISSES = 6  # probes without an answer, WATCH_S apart, after which a process is taken for hung


class Keeper:
    """One service's life under the supervisor. `first_answer` is set when it has answered once."""

    def __init__(self, service: Service, plan: StartPlan, board: Board, *, environment: dict[str, str]) -> None:
        self.service = service
        self.first_answer = asyncio.Event()
        self._plan = plan
        self._board = board
        self._environment = {**base_environment(), **environment, **service.environment}
        self._child: Child | None = None
        self._since = utc_now()

    async def keep(self) -> None:
        """Run until canceled.

        Raises GantryError when the service dies several times, or stays silent, before its first answer.
        """
        deaths = 0
        while True:
            began = time.monotonic()
            child = await self._start()
            why = await self._live(child)
            await child.bury()
            restart = next_restart(deaths, time.monotonic() - began)
            deaths = restart.deaths
            if not self.first_answer.is_set() and deaths >= GIVE_UP_AFTER:
                raise self._never_came_up(why)
            self._board.set(self.service.name, ProcessState.RESTARTING, pid=None)
            note(f"{self.service.name} {why}; starting it again in {restart.pause_s:g} s")
            await asyncio.sleep(restart.pause_s)

    async def stop(self) -> None:
        """End it, orderly for as long as the service may take."""
        if self._child is not None:
            await self._child.stop(self.service.stop_s)
            self._board.set(self.service.name, ProcessState.STOPPED, pid=None)

    def kill(self) -> None:
        """End it at once."""
        if self._child is not None:
            self._child.kill()

    async def _start(self) -> Child:
        self._since = utc_now()
        self._child = await Child.start(
            self.service.name,
            self.service.command,
            environment=self._environment,
            folder=ROOT,
            log=self._log,
            echo=self._plan.echo,
        )
        self._board.set(self.service.name, ProcessState.STARTING, pid=self._child.pid, url=self.service.url)
        return self._child

    async def _live(self, child: Child) -> str:
        """Follow one process until its end, or until it hangs; returns what became of it."""
        ended = asyncio.create_task(child.wait())
        try:
            if await self._answers_within(self.service.ready_s, POLL_S, ended):
                self._board.set(self.service.name, ProcessState.RUNNING, pid=child.pid)
                self.first_answer.set()
                misses = 0
                while misses < MISSES and not ended.done():
                    await asyncio.wait({ended}, timeout=WATCH_S)
                    misses = 0 if await self._answers() else misses + 1
            return _ending(ended.result()) if ended.done() else "doesn't answer"
        finally:
            ended.cancel()

    async def _answers_within(self, seconds: float, pause_s: float, ended: asyncio.Task[int]) -> bool:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not ended.done():
            if await self._answers():
                return not ended.done()
            await asyncio.wait({ended}, timeout=pause_s)
        return False

    async def _answers(self) -> bool:
        url = self._environment.get("GANTRY_DAGSTER_URL", "")
        if not await answers(self.service, dagster_url=url, since=self._since):
            return False
        return self.service.port is None or (self._child is not None and listens(self._child.pid, self.service.port))

    def _never_came_up(self, why: str) -> GantryError:
        return GantryError(
            ErrorCode.ENVIRONMENT_INVALID,
            f"{self.service.name} {why} before it answered, {GIVE_UP_AFTER} times. Its last lines:\n"
            f"{last_lines(self._log)}\n",
            fix=f"See {self._log}, and run `gantry doctor`.",
            kind=Kind.UNAVAILABLE,
        )

    @property
    def _log(self) -> Path:
        return self._plan.home.logs / f"{self.service.name}.log"


def _ending(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
