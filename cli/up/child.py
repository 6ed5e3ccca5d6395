"""One running process of the supervisor: started in its own group, tied to the supervisor's life, stopped whole."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.up.output import LogFile, OutputPipe, pump

TETHER = Path(__file__).with_name("tether.py")


class Child:
    """A started process and the task that copies its output."""

    def __init__(self, process: Process, pipe: OutputPipe, copying: asyncio.Task[None], log: LogFile) -> None:
        self._process = process
        self._pipe = pipe
        self._copying = copying
        self._log = log

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        echo: bool,
    ) -> "Child":
        """Start a command from `folder` as the leader of a new process group."""
        pipe = OutputPipe()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command),
            env=dict(environment),
            cwd=folder,
            stdin=DEVNULL,
            stdout=pipe.writing,
            stderr=STDOUT,
            process_group=0,
        )
        file = LogFile(log)
        copying = asyncio.create_task(pump(name, await pipe.reader(), file, echo=echo))
        return cls(process, pipe, copying, file)

    @property
    def pid(self) -> int:
        """Its pid, which is also its process group."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait for its end; returns the exit code, negative for a signal."""
        return await self._process.wait()

    async def stop(self, timeout_s: float) -> None:
        """Ask it to end, and end what is left of its group after `timeout_s` seconds."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), timeout_s)
        except TimeoutError:
            pass
        finally:
            await self.bury()

    def kill(self) -> None:
        """Kill its whole group."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
            return

    async def bury(self) -> None:
        """Kill what is left of its group (a killed code server leaves its own children), and close the log."""
        self.kill()
        await self._process.wait()
        with contextlib.suppress(TimeoutError):  # somebody outside the group may still hold the pipe
            await asyncio.wait_for(self._copying, 1)
        self._pipe.close()
        self._log.close()
