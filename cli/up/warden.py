"""Leave no orphan: `python -m cli.up.warden MARK` waits for its parent to go, then ends what it left behind.

The supervisor's children die with it by themselves (`tether`), but not the children of those: Dagster's code server
and run workers. The warden holds one end of a pipe; when the supervisor is gone, however it went, the pipe closes,
and every process that carries the mark is killed. Postgres is left to its own driver, which stops it cleanly.
"""

import os
import signal
import sys
import time

from cli.up.identity import marked, send

QUIET_PASSES = 3
PASS_SECONDS = 0.1
MAX_PASSES = 100


def main() -> None:
    """Wait for the end of standard input, then sweep."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1024):
        pass
    sweep(sys.argv[1])


def sweep(mark: str) -> None:
    """Kill every process with the mark, until none was seen in three passes: one may be starting another."""
    quiet = 0
    for _ in range(MAX_PASSES):
        left = marked(mark)
        for process in left:
            send(process, signal.SIGKILL)
        quiet = 0 if left else quiet + 1
        if quiet == QUIET_PASSES:
            return
        time.sleep(PASS_SECONDS)


if __name__ == "__main__":
    main()
