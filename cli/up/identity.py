"""Which process is which: a pid alone is reused, a pid with its start time is not.

On Linux the start time is in /proc; elsewhere a pid's existence has to do.
"""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

MARK = "GANTRY_UP"  # in the environment of every process that belongs to one `gantry up`


@dataclass(frozen=True, slots=True)
class Identity:
    """One process for ever: pid and, on Linux, its start in clock ticks since boot."""

    pid: int
    started: int | None


def identify(pid: int) -> Identity | None:
    """Return the identity of a living process; None when there is none, or only a zombie."""
    if sys.platform != "linux":
        return Identity(pid, None) if _exists(pid) else None
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the command's name may hold spaces and brackets
    return None if fields[0] in {"Z", "X"} else Identity(pid, int(fields[19]))


def is_alive(process: Identity) -> bool:
    """Whether this very process still runs."""
    return identify(process.pid) == process


def marked(beginning: str) -> tuple[Identity, ...]:
    """Return the living processes whose mark begins so, this one left out.

    A mark is `<data folder>:<random>`, so `<data folder>:` finds those of every start on that folder.

    Linux only: elsewhere there is no way to read another process's environment, and the answer is empty.
    """
    if sys.platform != "linux":
        return ()
    wanted = f"{MARK}={beginning}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:  # gone meanwhile, or another user's
            continue
        if any(entry.startswith(wanted) for entry in environment.split(b"\0")):
            process = identify(int(folder.name))
            if process is not None:
                found.append(process)
    return tuple(found)


def send(process: Identity, number: signal.Signals) -> None:
    """Send a signal to this very process, if it still runs."""
    if is_alive(process):
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
