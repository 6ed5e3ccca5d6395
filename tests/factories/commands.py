"""The command line called in this process."""

import io
import json
from contextlib import redirect_stdout
from typing import Any

from cli.main import main


def printed(*args: object) -> str:
    """Run `gantry` and return what it printed; a failure is the test's."""
    out, code = io.StringIO(), 0
    with redirect_stdout(out):
        try:
            main([str(arg) for arg in args])
        except SystemExit as left:
            code = int(left.code or 0)
    assert code == 0, f"gantry {args} ended with {code}"
    return out.getvalue()


def json_of(*args: object) -> Any:
    """Run `gantry ... --json` and return what it printed, read."""
    return json.loads(printed(*args, "--json"))


def run(*args: str, group: str = "bots") -> int:
    """Run one command of a group and return its exit code; what it prints is left to the test."""
    try:
        main([group, *args])
    except SystemExit as left:
        return int(left.code or 0)
    return 0
