"""Real small processes under the keeper, the tether and the warden."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.up import keeper as keeping
from cli.up.board import Board
from cli.up.child import TETHER, Child
from cli.up.health import http_answers
from cli.up.home import Home, open_home
from cli.up.identity import MARK, Identity, identify, is_alive, marked
from cli.up.keeper import Keeper
from cli.up.leftovers import Warden, sweep_leftovers
from cli.up.output import MAX_LOG_BYTES, LogFile, last_lines
from cli.up.plan import StartPlan
from cli.up.ports import free_port
from cli.up.services import Ports, Probe, Service
from cli.up.state import ProcessRecord, ProcessState, read_state
from core.errors import GantryError

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).resolve().parents[4]
PARENT_OF_ONE = (
    "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); input()"
)


def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


async def until_async(holds: Callable[[], bool]) -> None:
    await asyncio.to_thread(until, holds)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = open_home(tmp_path)
    yield home
    sweep_leftovers(home)


@pytest.fixture
def plan(home: Home) -> StartPlan:
    return StartPlan(home, Ports(free_port(), free_port(), free_port()), f"{home.root}:1", echo=False)


def web(plan: StartPlan, *, code: str | None = None, ready_s: float = 10) -> Service:
    serve = ("-m", "http.server", "--bind", "127.0.0.1", str(plan.ports.api)) if code is None else ("-c", code)
    address = f"http://127.0.0.1:{plan.ports.api}/"
    command = (sys.executable, *serve)
    return Service("web", command, Probe.HTTP, address, ready_s=ready_s, stop_s=5, url=address, port=plan.ports.api)


def keeper(plan: StartPlan, service: Service) -> Keeper:
    this = identify(os.getpid())
    assert this is not None
    return Keeper(service, plan, Board(plan.home, this, plan.mark), environment={MARK: plan.mark})


def record(home: Home) -> ProcessRecord:
    state = read_state(home)
    assert state is not None
    return state.processes[0]


async def test_a_killed_service_comes_back_by_itself_and_stops_when_asked(plan: StartPlan) -> None:
    kept = keeper(plan, web(plan))
    task = asyncio.create_task(kept.keep())
    await asyncio.wait_for(kept.first_answer.wait(), 10)
    first = record(plan.home)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    await until_async(lambda: record(plan.home).restarts == 1 and record(plan.home).state is ProcessState.RUNNING)
    assert record(plan.home).pid != first.pid
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await kept.stop()
    assert record(plan.home).state is ProcessState.STOPPED
    assert marked(plan.mark) == ()


async def test_a_service_that_never_comes_up_ends_the_start_with_its_last_words(
    plan: StartPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.up.backoff.FIRST_PAUSE_S", 0.01)
    kept = keeper(plan, web(plan, code="raise SystemExit('no such table')"))
    with pytest.raises(GantryError, match="no such table"):
        await asyncio.wait_for(kept.keep(), 10)


async def test_an_answer_of_another_program_on_the_port_is_not_taken_for_the_service_s(
    plan: StartPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.up.backoff.FIRST_PAUSE_S", 0.01)
    other = subprocess.Popen(web(plan).command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    await until_async(lambda: http_answers(web(plan).address))
    kept = keeper(plan, web(plan))
    with pytest.raises(GantryError, match="already in use"):
        await asyncio.wait_for(kept.keep(), 10)
    assert not kept.first_answer.is_set()
    other.kill()
    other.wait()


async def test_a_service_that_hangs_is_killed_and_started_again(
    plan: StartPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "WATCH_S", 0.05)
    monkeypatch.setattr(keeping, "MISSES", 2)
    monkeypatch.setattr("cli.up.health.TIMEOUT_S", 0.2)
    kept = keeper(plan, web(plan))
    task = asyncio.create_task(kept.keep())
    await asyncio.wait_for(kept.first_answer.wait(), 10)
    first = record(plan.home)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGSTOP)
    await until_async(lambda: record(plan.home).restarts == 1 and record(plan.home).state is ProcessState.RUNNING)
    task.cancel()
    await kept.stop()


async def start(home: Home, code: str, mark: str) -> Child:
    return await Child.start(
        "one",
        (sys.executable, "-c", code),
        environment={**os.environ, MARK: mark},
        folder=ROOT,
        log=home.logs / "one.log",
        echo=False,
    )


async def test_stopping_a_process_ends_its_children_too(home: Home) -> None:
    code = PARENT_OF_ONE.replace("input()", "import time; time.sleep(60)")
    child = await start(home, code, f"{home.root}:2")
    await until_async(lambda: len(marked(f"{home.root}:2")) == 2)
    await child.stop(5)
    await until_async(lambda: marked(f"{home.root}:2") == ())


async def test_a_process_that_ignores_the_request_is_killed(home: Home) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    child = await start(home, code, f"{home.root}:3")
    await until_async(lambda: (home.logs / "one.log").read_bytes() == b"deaf\n")
    await child.stop(0.1)
    assert marked(f"{home.root}:3") == ()


def test_a_tethered_process_dies_with_its_parent(home: Home) -> None:
    mark = f"{home.root}:4"
    code = (
        "import os, subprocess, sys;"
        f"subprocess.Popen([sys.executable, '-I', '-S', {str(TETHER)!r}, str(os.getpid()), sys.executable, '-c',"
        f" 'import time; time.sleep(60)'], env={{**os.environ, {MARK!r}: {mark!r}}}); input()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    until(lambda: len(marked(mark)) == 1)
    parent.kill()
    parent.communicate()
    until(lambda: marked(mark) == ())


def test_the_warden_ends_grandchildren_when_the_supervisor_is_killed(home: Home) -> None:
    mark = f"{home.root}:5"
    code = (
        "from pathlib import Path; from cli.up.home import Home; from cli.up.leftovers import Warden;"
        f"warden = Warden({mark!r}, Home(Path({str(home.root)!r})));"
        f"import os; os.environ[{MARK!r}] = {mark!r};" + PARENT_OF_ONE
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, cwd=ROOT)
    until(lambda: len(marked(mark)) == 1)
    grandchild = marked(mark)[0]
    supervisor.kill()
    supervisor.communicate()
    until(lambda: not is_alive(grandchild))


def test_the_next_start_ends_what_an_earlier_one_left(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    left = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={**os.environ, MARK: f"{home.root}:old"}
    )
    until(lambda: len(marked(f"{home.root}:")) == 1)
    sweep_leftovers(home)
    assert left.wait(5) == -signal.SIGKILL
    assert left.stdin is not None
    left.stdin.close()
    assert "1 processes" in capsys.readouterr().err


def test_another_data_folder_s_processes_are_left_alone(home: Home, tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={**os.environ, MARK: f"{home.root}2:x"}
    )
    until(lambda: len(marked(f"{home.root}2:")) == 1)
    sweep_leftovers(home)
    assert is_alive(Identity(other.pid, (identify(other.pid) or Identity(0, None)).started))
    other.communicate(b"\n")


def test_a_log_never_grows_without_bound(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "one.log")
    line = b"x" * (1024 * 1024)
    for _ in range(3 * MAX_LOG_BYTES // len(line)):
        log.write(line)
    log.close()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2 * MAX_LOG_BYTES + 2 * len(line)


def test_the_end_of_a_log_is_shown(tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text("a\nb\nc\n")
    assert last_lines(tmp_path / "one.log", 2) == "    b\n    c"
    assert last_lines(tmp_path / "none.log") == ""


def test_a_dismissed_warden_ends_what_is_left_and_itself(home: Home) -> None:
    warden = Warden(f"{home.root}:6", home)
    left = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={**os.environ, MARK: f"{home.root}:6"}
    )
    until(lambda: len(marked(f"{home.root}:6")) == 1)
    warden.dismiss()
    assert left.wait(5) == -signal.SIGKILL
    assert left.stdin is not None
    left.stdin.close()
