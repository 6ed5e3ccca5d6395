"""One allowance for all threads and processes of the machine."""

import fcntl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from integrations.http.limiter import Limiter

# 20 turns a second after the first five.
RATE, BURST, INTERVAL_S = 1200.0, 5, 0.05
TURNS = 10

PROCESS = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from integrations.http.limiter import Limiter

limiter = Limiter(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
begin = time.monotonic()
with ThreadPoolExecutor(4) as threads:
    took = list(threads.map(lambda _: limiter.acquire("vendor", 1200, 5, 60), range(10)))
print(begin, time.monotonic(), sum(took))
"""


def test_two_processes_of_four_threads_share_one_allowance(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROCESS, str(tmp_path)]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    reported = [[float(word) for word in process.communicate(timeout=60)[0].split()] for process in both]
    assert [given for _, _, given in reported] == [TURNS, TURNS]
    took_s = max(end for _, end, _ in reported) - min(begin for begin, _, _ in reported)
    assert took_s >= (2 * TURNS - BURST) * INTERVAL_S


@pytest.mark.parametrize("shared", [True, False], ids=["file", "memory"])
def test_threads_share_the_allowance_and_get_every_turn_there_is(shared: bool, tmp_path: Path) -> None:
    limiter = Limiter(tmp_path if shared else None)
    started = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda _: limiter.acquire("vendor", RATE, BURST, 60), range(20)))
    took_s = time.monotonic() - started
    assert all(given)
    assert (20 - BURST) * INTERVAL_S <= took_s < (20 - BURST) * INTERVAL_S + 1


@pytest.mark.parametrize("shared", [True, False], ids=["file", "memory"])
def test_a_turn_that_comes_too_late_is_refused_at_once_and_costs_nothing(shared: bool, tmp_path: Path) -> None:
    limiter = Limiter(tmp_path if shared else None)
    assert limiter.acquire("vendor", 30, 1, 0.1)
    started = time.monotonic()
    assert not any(limiter.acquire("vendor", 30, 1, 0.5) for _ in range(10))
    assert time.monotonic() - started < 0.5
    # Two seconds a turn: had the refused taken theirs, this one would be twenty seconds away.
    assert limiter.acquire("vendor", 30, 1, 3)


def test_providers_do_not_share_an_allowance(tmp_path: Path) -> None:
    limiter = Limiter(tmp_path)
    assert limiter.acquire("one", 1, 1, 0.1)
    assert limiter.acquire("two", 1, 1, 0.1)
    assert not limiter.acquire("one", 1, 1, 0.1)


@pytest.mark.parametrize(
    "left_behind",
    [b"", b"\xff\xfe\x00", b"garbage", b"another-boot 999999999999999999999", b"x" * 1000],
    ids=["empty", "not text", "one word", "of an earlier boot", "long"],
)
def test_what_an_earlier_boot_or_a_torn_write_left_is_no_limit(left_behind: bytes, tmp_path: Path) -> None:
    limiter = Limiter(tmp_path)
    assert limiter.acquire("vendor", 1, 1, 1)
    (file,) = tmp_path.iterdir()
    file.write_bytes(left_behind)
    assert limiter.acquire("vendor", 1, 1, 1)
    assert not limiter.acquire("vendor", 1, 1, 1)


def test_a_process_stopped_in_its_turn_holds_nobody_beyond_the_deadline(tmp_path: Path) -> None:
    limiter = Limiter(tmp_path)
    assert limiter.acquire("vendor", 6000, 10, 1)
    (file,) = tmp_path.iterdir()
    with file.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        started = time.monotonic()
        assert not limiter.acquire("vendor", 6000, 10, 0.2)
        assert 0.2 <= time.monotonic() - started < 1.2
    assert limiter.acquire("vendor", 6000, 10, 1)


def test_a_burst_goes_out_at_once_and_then_the_rate_holds() -> None:
    limiter = Limiter(None)
    assert [limiter.acquire("vendor", 60, 3, 0.01) for _ in range(4)] == [True, True, True, False]
