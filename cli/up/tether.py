"""Run a command that dies with its parent: `python -I -S tether.py PARENT_PID COMMAND...`.

A process asks the kernel to kill it when its parent dies (PR_SET_PDEATHSIG, kept across exec), then becomes the
command. Done here, not between fork and exec of the supervisor, which has threads. Standard library only: this
adds 15 ms to a start. Elsewhere than on Linux it only becomes the command.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, then become the command."""
    parent = int(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
        # `make up &` in a script ignores SIGINT, exec would hand that on, and Dagster treats SIGTERM as SIGINT:
        # its code server would then never stop.
        signal.signal(number, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the request was made
            raise SystemExit(1)
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - the supervisor's own argument list, no shell


if __name__ == "__main__":
    main()
