import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cli.status import as_plain, show
from cli.up.board import Board
from cli.up.home import Home, open_home
from cli.up.identity import Identity, identify, is_alive
from cli.up.state import Lock, ProcessState, UpState, already_running, is_locked, observed, read_state


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path)


def this_process() -> Identity:
    found = identify(os.getpid())
    assert found is not None
    return found


def board(home: Home) -> Board:
    return Board(home, this_process(), f"{home.root}:1")


def test_what_the_board_writes_is_what_is_read(home: Home) -> None:
    wall = board(home)
    wall.set("api", ProcessState.STARTING, pid=os.getpid(), url="http://localhost:1")
    wall.set("api", ProcessState.RUNNING, pid=os.getpid())
    wall.ready()
    state = read_state(home)
    assert state == wall.state
    assert state is not None
    assert state.ready_at is not None
    assert [(record.name, record.state, record.url) for record in state.processes] == [
        ("api", ProcessState.RUNNING, "http://localhost:1")
    ]


def test_a_restart_is_counted_once(home: Home) -> None:
    wall = board(home)
    wall.set("api", ProcessState.RUNNING, pid=os.getpid())
    wall.set("api", ProcessState.RESTARTING, pid=None)
    wall.set("api", ProcessState.STARTING, pid=os.getpid())
    wall.set("api", ProcessState.RUNNING, pid=os.getpid())
    assert wall.state.processes[0].restarts == 1


def test_a_dead_process_is_never_shown_as_running(home: Home) -> None:
    wall = board(home)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    wall.set("api", ProcessState.RUNNING, pid=process.pid)
    assert observed(wall.state).processes[0].state is ProcessState.RUNNING
    process.communicate(b"\n")
    record = observed(wall.state).processes[0]
    assert (record.state, record.pid) == (ProcessState.STOPPED, None)


def test_a_reused_pid_is_not_the_process_that_had_it() -> None:
    this = this_process()
    assert is_alive(this)
    assert not is_alive(replace(this, started=(this.started or 0) + 1))


def test_a_zombie_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert identify(process.pid) is None
    process.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"supervisor": 1}'])
def test_a_damaged_state_file_is_no_state(home: Home, text: str) -> None:
    home.state_file.write_text(text)
    assert read_state(home) is None


def test_one_supervisor_holds_a_data_folder_until_it_is_gone(home: Home) -> None:
    first, second = Lock(home.lock_file), Lock(home.lock_file)
    assert not is_locked(home.lock_file)
    assert first.acquire()
    assert not second.acquire()
    assert is_locked(home.lock_file)
    first.release()
    assert not is_locked(home.lock_file)


def test_the_kernel_frees_the_lock_of_a_killed_holder(home: Home) -> None:
    code = f"from cli.up.state import Lock; from pathlib import Path; l=Lock(Path({str(home.lock_file)!r}));"
    holder = subprocess.Popen(
        [sys.executable, "-c", code + "print(l.acquire(), flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[4],
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"True\n"
    assert is_locked(home.lock_file)
    holder.kill()
    holder.communicate()
    assert not is_locked(home.lock_file)


def test_a_second_start_learns_who_runs(home: Home) -> None:
    board(home).ready()
    assert f"pid {os.getpid()}" in already_running(home).message


def test_status_says_nothing_runs_when_nothing_does(home: Home) -> None:
    plain = as_plain(home, None, running=False)
    assert (plain["running"], plain["ready"], plain["processes"]) == (False, False, [])


def test_status_shows_each_process(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    wall = board(home)
    wall.set("api", ProcessState.RUNNING, pid=os.getpid(), url="http://localhost:1")
    wall.ready()
    plain = as_plain(home, observed(wall.state), running=True)
    assert plain["ready"] is True
    assert isinstance(plain["processes"], list)
    assert plain["processes"][0]["pid"] == os.getpid()
    show(wall.state, running=True)
    assert "RUNNING" in capsys.readouterr().out
    assert isinstance(wall.state, UpState)
