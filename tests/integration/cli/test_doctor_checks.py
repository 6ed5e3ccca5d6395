"""`gantry doctor`'s look at the loops, on a database of its own."""

from datetime import timedelta
from pathlib import Path

import pytest

from cli.doctor_checks import SETTLING_S, CheckStatus, loops_check
from cli.up.home import Home, open_home
from cli.up.identity import Identity
from cli.up.state import ProcessRecord, ProcessState, UpState, write_state
from core.clock import utc_now
from core.settings import Settings
from fleet.loops import loops
from sql.embedded import RunningState
from sql.engine import Transactions
from tests.factories.databases import OwnerSql
from tests.factories.rounds import go_round


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path)


@pytest.fixture
def settings(database: RunningState, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    return Settings()


def daemon_up(home: Home, *, for_s: float) -> None:
    since = (utc_now() - timedelta(seconds=for_s)).isoformat()
    record = ProcessRecord("dagster-daemon", 1, 1, ProcessState.RUNNING, None, since, 0)
    write_state(home, UpState(Identity(1, 1), "mark", since, (record,)))


def test_loops_that_go_round_are_well(settings: Settings, home: Home, tx: Transactions) -> None:
    go_round(tx)
    daemon_up(home, for_s=SETTLING_S + 5)
    check = loops_check(settings, home, running=True)
    assert (check.verdict, check.observed) == (CheckStatus.OK, f"{len(loops(10))} running")


def test_a_loop_that_stopped_while_gantry_runs_fails_with_its_name_and_a_fix(
    settings: Settings, home: Home, tx: Transactions, owner_sql: OwnerSql
) -> None:
    go_round(tx)
    daemon_up(home, for_s=SETTLING_S + 5)
    owner_sql("UPDATE loop_ticks SET ticked_at = now() - interval '1 hour' WHERE loop = 'workers_alive'")
    check = loops_check(settings, home, running=True)
    assert (check.verdict, check.observed) == (CheckStatus.FAIL, "workers_alive STOPPED")
    assert check.fix


def test_a_loop_that_never_went_round_fails_once_the_daemon_had_its_time(settings: Settings, home: Home) -> None:
    daemon_up(home, for_s=1)
    assert loops_check(settings, home, running=True).verdict is CheckStatus.NOT_CHECKED
    daemon_up(home, for_s=SETTLING_S + 5)
    check = loops_check(settings, home, running=True)
    assert check.verdict is CheckStatus.FAIL
    assert check.observed.count("NEVER") == len(loops(10))


def test_loops_are_not_checked_while_gantry_does_not_run(settings: Settings, home: Home) -> None:
    assert loops_check(settings, home, running=False).verdict is CheckStatus.NOT_CHECKED
