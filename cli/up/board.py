"""The board: state of every process of one `gantry up`, written to the state file at each change."""

from dataclasses import replace

from cli.up.home import Home
from cli.up.identity import Identity, identify
from cli.up.output import stamp
from cli.up.state import ProcessRecord, ProcessState, UpState, write_state


class Board:
    """Records by process name, in order of starting."""

    def __init__(self, home: Home, supervisor: Identity, mark: str) -> None:
        self._home = home
        self._state = UpState(supervisor, mark, None, ())

    @property
    def state(self) -> UpState:
        """What was last written."""
        return self._state

    def set(self, name: str, state: ProcessState, *, pid: int | None, url: str | None = None) -> None:
        """Note a process's new state; a restart is counted."""
        known = {record.name: record for record in self._state.processes}
        before = known.get(name)
        identity = identify(pid) if pid is not None else None
        restarted = before is not None and state is ProcessState.RESTARTING
        known[name] = ProcessRecord(
            name=name,
            pid=pid if identity else None,
            started=identity.started if identity else None,
            state=state,
            url=url or (before.url if before else None),
            since=stamp(),
            restarts=(before.restarts if before else 0) + int(restarted),
        )
        self._write(replace(self._state, processes=tuple(known.values())))

    def ready(self) -> None:
        """Note that every process has answered once."""
        self._write(replace(self._state, ready_at=stamp()))

    def _write(self, state: UpState) -> None:
        self._state = state
        try:
            write_state(self._home, state)
        except OSError:  # a full disk must not stop the processes; the last written state stays, checked on reading
            return
