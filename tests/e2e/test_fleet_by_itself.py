"""A fleet nobody clicks anything for: every bot gets its baseline, then an improvement, and all of it can be proved."""

import json
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

from tests.factories.running import Running, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
STRATEGIES = ("sma_cross", "rsi_reversion", "donchian_breakout")
SMALL = {"MAX_IMPROVE_RUNNING": "1", "IMPROVE_SETS": "10", "IMPROVE_FOLDS": "2", "MIN_TRADES_FOR_IMPROVE": "1"}
CAPS = {"BACKTEST": 3, "IMPROVE": 1}


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    for name, value in SMALL.items():
        monkeypatch.setenv(name, value)
    made = Running.in_folder(tmp_path)
    try:
        made.up()
        yield made
    finally:
        made.gantry("down")


def test_every_bot_is_backtested_and_improved_without_a_click_and_every_claim_has_a_proof(
    running: Running, tmp_path: Path
) -> None:
    for strategy in STRATEGIES:
        made = running.api("POST", "/api/bots", {"name": strategy, "symbol": "ES", "strategy": strategy})
        assert made["success"], made
    improved = "SELECT count(DISTINCT bot_id) FROM bot_jobs WHERE job_type = 'IMPROVE' AND status = 'COMPLETED'"
    until(lambda: running.rows(improved) == [(3,)], seconds=180, what="every bot was improved", every=0.5)
    waiting = "SELECT 1 FROM bot_jobs WHERE status IN ('QUEUED', 'RUNNING')"
    until(lambda: not running.rows(waiting), seconds=120, what="nothing is left to do", every=0.5)

    jobs = running.rows("SELECT job_type, status, actor FROM bot_jobs")
    assert {actor for *_, actor in jobs} == {"planner"}, "nobody asked"
    for job_type, cap in CAPS.items():
        steps = running.rows(
            "SELECT CASE WHEN to_status = 'RUNNING' THEN 1 ELSE -1 END FROM job_run_events e "
            "JOIN bot_jobs j ON j.id = e.job_id WHERE j.job_type = %s AND 'RUNNING' IN (from_status, to_status) "
            "ORDER BY e.created_at, to_status = 'RUNNING'",
            job_type,
        )
        assert 0 < max(accumulate(step for (step,) in steps)) <= cap
    evidence = running.rows("SELECT verdict, evidence -> 'candidate', evidence -> 'incumbent' FROM bot_improvements")
    assert len(evidence) >= 3
    assert all(row[1] and row[2] for row in evidence), "old and new stand side by side"

    planned = running.rows(
        "SELECT t.type, sum((summary -> 'jobs_enqueued_by_type' ->> t.type)::int) "
        "FROM autonomy_planner_runs, unnest(ARRAY['BACKTEST', 'IMPROVE', 'EVOLVE']) t (type) GROUP BY 1 ORDER BY 1"
    )
    counted = dict(running.rows("SELECT job_type, count(*) FROM bot_jobs WHERE attempt = 1 GROUP BY 1"))
    assert dict(planned) == {"BACKTEST": 0, "IMPROVE": 0, "EVOLVE": 0} | counted
    status = running.api("GET", "/api/scheduler/status")
    assert (status["active"], status["loop_health"]) == (True, "OK"), status

    running.gantry("proof", "--out", str(tmp_path / "proof"))
    reported = json.loads(running.gantry("jobs", "list", "--json"))
    assert len(reported) == len(jobs)
    assert "violations" not in running.gantry("doctor", "--invariants")
