"""What a killed supervisor may leave behind, and who ends it: the warden at once, the next start for certain."""

import os
import signal
import subprocess
import sys

from cli.console import note
from cli.up.home import Home
from cli.up.identity import Identity, is_alive, marked, send
from cli.up.plan import ROOT, base_environment
from cli.up.state import POSTGRES, read_state
from cli.up.warden import sweep


def sweep_leftovers(home: Home) -> None:
    """End every process an earlier `gantry up` of this data folder left; call it holding the lock."""
    state = read_state(home)
    recorded = [
        Identity(record.pid, record.started)
        for record in (state.processes if state else ())
        if record.pid is not None and record.name != POSTGRES  # Postgres is ended, cleanly, by its own driver
    ]
    left = {*marked(f"{home.root}:"), *filter(is_alive, recorded)}
    if left:
        note(f"Ending {len(left)} processes that an earlier start left behind.")
    for process in left:
        send(process, signal.SIGKILL)
    sweep(f"{home.root}:")
    home.state_file.unlink(missing_ok=True)


class Warden:
    """The process that ends everything with a mark once this process is gone, however it goes.

    The pipe's writing end stays open, and unused, for as long as this process lives.
    """

    def __init__(self, mark: str, home: Home) -> None:
        reading, self._writing = os.pipe()
        with (home.logs / "warden.log").open("ab") as log:
            self._process = subprocess.Popen(
                (sys.executable, "-m", "cli.up.warden", mark),
                stdin=reading,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=base_environment(),
                start_new_session=True,
            )
        os.close(reading)

    def dismiss(self) -> None:
        """Let it look once more, and end."""
        os.close(self._writing)
        self._process.wait()
