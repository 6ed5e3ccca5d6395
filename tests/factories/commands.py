"""The command line called in this process."""

import io
import json
from contextlib import redirect_stdout
from typing import Any

from cli.main import main


def run(*args: str, group: str = "bots") -> int:
    """Run one command of a group and return its exit code; what it prints is left to the test."""
    try:
        main([group, *args])
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def printed(group: str, *args: object) -> str:
    """Run a command and return what it printed; a failure is the test's."""
    out = io.StringIO()
    with redirect_stdout(out):
        code = run(*(str(arg) for arg in args), group=group)
    assert code == 0, f"gantry {group} {args} ended with {code}"
    return out.getvalue()


def json_of(group: str, *args: object) -> Any:
    """Run a command with --json and return what it printed, read."""
    return json.loads(printed(group, *args, "--json"))
