"""The embedded Postgres survives what machines do to it, and says in one line what it can't live with."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from core.errors import ErrorCode, GantryError
from core.settings import ROOT
from sql.embedded import EmbeddedPostgres, read_state
from sql.embedded_folder import MINIMUM_FREE_BYTES, check_fit, is_postgres_of

START_AND_WAIT = """
import sys
from pathlib import Path
from sql.embedded import EmbeddedPostgres
state = EmbeddedPostgres(Path(sys.argv[1])).start()
print(state.pid, state.owner_url, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose cluster is made once for the module."""
    folder = tmp_path_factory.mktemp("embedded")
    with EmbeddedPostgres(folder) as state, psycopg.connect(state.owner_url) as connection:
        connection.execute("CREATE TABLE kept (word text)")
    return folder


@pytest.fixture
def driver(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that drives the server and waits."""
    command = [sys.executable, "-c", START_AND_WAIT, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def _answer(driver: "subprocess.Popen[str]") -> tuple[int, str]:
    assert driver.stdout is not None
    pid, url = driver.stdout.readline().split()
    return int(pid), url


def _words(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM kept ORDER BY 1")]


def test_it_answers_on_loopback_alone_with_utc_and_utf8(folder: Path) -> None:
    with EmbeddedPostgres(folder) as state, psycopg.connect(state.app_url) as connection:
        shown = [connection.execute(f"SHOW {name}".encode()).fetchone() for name in ("timezone", "server_encoding")]
        assert shown == [("UTC",), ("UTF8",)]
        assert connection.info.server_version >= 160_000
        sockets = psutil.Process(state.pid).net_connections("all")
    assert [(s.laddr.ip, s.laddr.port) for s in sockets if s.laddr and s.status == "LISTEN"] == [
        ("127.0.0.1", state.port)
    ]


def test_passwords_are_random_and_only_their_owner_reads_them(folder: Path, tmp_path: Path) -> None:
    with EmbeddedPostgres(folder) as state:
        secrets = [*folder.glob("*.password"), folder / "state.json"]
        assert len(secrets) == 4
        assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
        wrong = state.owner_url.replace(":" + (folder / "gantry_owner.password").read_text(), ":guess")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
    assert len({path.read_text() for path in folder.glob("*.password")}) == 3


def test_its_process_is_the_postmaster_and_none_is_left_when_it_stops(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    state = server.start()
    assert is_postgres_of(state.pid, folder / "data")
    assert read_state(folder) == state
    children = psutil.Process(state.pid).children(recursive=True)
    server.stop()
    assert read_state(folder) is None
    assert not psutil.pid_exists(state.pid)
    assert not [child for child in children if child.is_running()]
    server.stop()  # may be repeated


def test_the_same_object_starts_again_after_its_server_was_killed(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    first = server.start()
    os.kill(first.pid, signal.SIGKILL)
    server.process.wait()
    server.stop()
    second = server.start()
    try:
        assert second.pid != first.pid
        assert second.owner_url.partition("@")[0] == first.owner_url.partition("@")[0], "passwords stay"
        _words(second.owner_url)
    finally:
        server.stop()


def test_nothing_committed_is_lost_and_nothing_orphaned_when_its_driver_is_killed(
    folder: Path, driver: "subprocess.Popen[str]"
) -> None:
    pid, url = _answer(driver)
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO kept VALUES ('before the kill')")
    server = psutil.Process(pid)
    family = [server, *server.children(recursive=True)]
    driver.kill()
    driver.wait()
    _gone, alive = psutil.wait_procs(family, timeout=10)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    with EmbeddedPostgres(folder) as state:
        assert "before the kill" in _words(state.owner_url)


def test_a_pid_file_that_names_some_other_process_is_stale(folder: Path) -> None:
    (folder / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder / 'data'}\n1\n5432\n\n127.0.0.1\n")
    with EmbeddedPostgres(folder) as state:
        _words(state.owner_url)


@pytest.mark.parametrize("text", ["", "garbage\n", "-1\n", "999999999\n"])
def test_a_damaged_pid_file_is_stale(folder: Path, text: str) -> None:
    (folder / "data" / "postmaster.pid").write_text(text)
    with EmbeddedPostgres(folder) as state:
        _words(state.owner_url)


def test_a_second_driver_of_the_same_folder_is_refused_and_does_no_harm(
    folder: Path, driver: "subprocess.Popen[str]"
) -> None:
    _pid, url = _answer(driver)
    with pytest.raises(GantryError, match="already uses") as caught:
        EmbeddedPostgres(folder).start()
    assert caught.value.code is ErrorCode.CONFLICT
    assert read_state(folder) is not None, "the first one's state stays"
    _words(url)


def test_a_taken_port_is_one_clear_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(GantryError, match=f"Port {port} can't be used") as caught:
            EmbeddedPostgres(folder, port).start()
    assert "GANTRY_PG_PORT" in caught.value.fix
    with EmbeddedPostgres(folder, port) as state:
        assert state.port == port


def test_a_cluster_of_another_version_is_refused_untouched(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(GantryError, match="belongs to PostgreSQL 15") as caught:
        EmbeddedPostgres(tmp_path).start()
    assert caught.value.code is ErrorCode.ENVIRONMENT_INVALID
    assert (data / "PG_VERSION").read_text() == "15\n"


def test_a_data_folder_that_is_no_cluster_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("mine")
    with pytest.raises(GantryError, match="not a cluster"):
        EmbeddedPostgres(tmp_path).start()
    assert (tmp_path / "data" / "thesis.txt").read_text() == "mine"


def test_a_cluster_of_another_user_is_refused(folder: Path) -> None:
    owner = (folder / "data").stat().st_uid
    check_fit(folder, owner_uid=owner)
    with pytest.raises(GantryError, match=f"belongs to user {owner}, and PostgreSQL would run as {owner + 1}"):
        check_fit(folder, owner_uid=owner + 1)


def test_a_home_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GantryError, match="can't hold the database") as caught:
        EmbeddedPostgres(tmp_path / "file" / "postgres").start()
    assert "\n" not in caught.value.message


def test_a_set_up_that_was_killed_half_way_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "PG_VERSION").write_text("18\n")
    (tmp_path / "superuser.password").write_text("of the killed one")
    with EmbeddedPostgres(tmp_path) as state, psycopg.connect(state.owner_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not (tmp_path / "data.new").exists()


def test_a_cluster_that_cannot_start_says_postgres_own_reason(folder: Path) -> None:
    with pytest.raises(GantryError, match=r"ended at once: .*max_connections") as caught:
        EmbeddedPostgres(folder, settings={"max_connections": "none"}).start()
    assert "\n" not in caught.value.message
    with EmbeddedPostgres(folder) as state:  # the failure left neither lock nor process
        _words(state.owner_url)


def test_the_space_it_asks_for_is_more_than_a_cluster_takes(folder: Path) -> None:
    size = sum(path.stat().st_size for path in (folder / "data").rglob("*") if path.is_file())
    assert size < MINIMUM_FREE_BYTES
