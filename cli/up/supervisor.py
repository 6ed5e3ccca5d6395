"""The supervisor: start everything in order, keep it alive, stop it in order.

Postgres -> migrations and first data -> API -> Dagster's code server -> its daemon and web server. Each process dies
with the supervisor (`tether`, `warden`); what a killed one left behind is swept at the next start.
"""

import asyncio
import signal
import sys
import time

from cli.console import note, say
from cli.up.board import Board
from cli.up.database import Database
from cli.up.keeper import Keeper
from cli.up.plan import StartPlan
from cli.up.preparation import prepare, warm_up
from cli.up.services import Service, api_service, dagster_services, shared_environment
from core.errors import GantryError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def running_text(*, terminal: bool) -> str:
    """Say that everything runs and what stops it; terminal: whether a person can press Ctrl-C here."""
    return f"Everything is running. {'Ctrl-C or ' if terminal else ''}`gantry down` stops it."


class Supervisor:
    """One `gantry up`."""

    def __init__(self, plan: StartPlan, board: Board, database: Database) -> None:
        self._plan = plan
        self._board = board
        self._database = database
        self._environment: dict[str, str] = {}
        self._keepers: list[Keeper] = []
        self._stop_asked = asyncio.Event()
        self._began = time.monotonic()

    async def run(self) -> None:
        """Run until a signal asks for the end. Raises GantryError when something can't be started."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._ask_to_stop)
        everything = asyncio.create_task(self._everything())
        stop = asyncio.create_task(self._stop_asked.wait())
        try:
            await asyncio.wait({everything, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            everything.cancel()
            stop.cancel()
            await asyncio.wait({everything})
            await self._stop_all()
        if not everything.cancelled() and (failure := everything.exception()) is not None:
            raise _first(failure)

    async def _everything(self) -> None:
        plan = self._plan
        async with asyncio.TaskGroup() as group:
            self._database.start(self._board)
            group.create_task(self._database.keep(self._board))
            prepared = await prepare(plan)
            self._environment = shared_environment(
                plan.home, plan.ports, mark=plan.mark, dagster_url=prepared.dagster_url
            )
            if prepared.sentence:
                say(prepared.sentence)
            api = api_service(plan.ports)
            await self._bring_up(group, api)
            say(f"Gantry is ready at {api.url} ({time.monotonic() - self._began:.0f} s)")
            group.create_task(warm_up(plan, self._environment))
            code, *others = dagster_services(plan.ports, plan.workspace)
            await self._bring_up(group, code)
            await self._bring_up(group, *others)
            say(f"Dagster is ready at {others[-1].url} ({time.monotonic() - self._began:.0f} s)")
            say(running_text(terminal=sys.stdin.isatty()))
            self._board.ready()

    async def _bring_up(self, group: asyncio.TaskGroup, *services: Service) -> None:
        """Start services together, and wait until each has answered once."""
        keepers = [Keeper(service, self._plan, self._board, environment=self._environment) for service in services]
        self._keepers.extend(keepers)
        for keeper in keepers:
            group.create_task(keeper.keep())
        for keeper in keepers:
            await keeper.first_answer.wait()

    def _ask_to_stop(self) -> None:
        if self._stop_asked.is_set():
            note("Stopping at once.")
            for keeper in self._keepers:
                keeper.kill()
        else:
            note("Stopping. Press Ctrl-C again to stop at once.")
            self._stop_asked.set()

    async def _stop_all(self) -> None:
        """Dagster's processes together, then the API, Postgres last."""
        api = [keeper for keeper in self._keepers if keeper.service.name == "api"]
        await asyncio.gather(*(keeper.stop() for keeper in self._keepers if keeper not in api))
        for keeper in api:
            await keeper.stop()
        self._database.stop(self._board)


def _first(failure: BaseException) -> BaseException:
    """Return the domain's error in a group of failures, where there is one, else the group."""
    while isinstance(failure, BaseExceptionGroup):
        known = failure.subgroup(GantryError)
        failure = (known or failure).exceptions[0]
    return failure
