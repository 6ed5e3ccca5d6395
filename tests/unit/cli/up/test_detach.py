"""`gantry up --detach`: what it says at the end."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.up.board import Board
from cli.up.detach import follow
from cli.up.home import open_home
from cli.up.identity import identify
from cli.up.supervisor import running_text


def test_what_runs_in_the_background_is_stopped_by_one_command_named_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = open_home(tmp_path)
    with subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE) as supervisor:
        this = identify(supervisor.pid)
        assert this is not None
        Board(home, this, "mark").ready()
        (home.logs / "up.log").write_text(running_text(terminal=False) + "\n")
        follow(supervisor, home, 0)
        supervisor.communicate(b"\n")
    printed = capsys.readouterr().out
    assert printed.startswith("Everything is running. `gantry down` stops it.\nGantry runs in the background;")
    assert printed.count("gantry down") == 1
    assert "Ctrl-C" not in printed


def test_in_a_terminal_ctrl_c_stops_it_too() -> None:
    assert running_text(terminal=True) == "Everything is running. Ctrl-C or `gantry down` stops it."
