"""One command brings everything up; a bot, then a starter pack, go from the API through Dagster to their metrics."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.factories.running import Running, until

pytestmark = [pytest.mark.slow]

LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on InvalidSubsetError { message }
    ... on PipelineNotFoundError { message }
  }
}
"""
RUN = "query Run($id: ID!) { runOrError(runId: $id) { __typename ... on Run { status } } }"
KEYS = """
query Keys { assetNodes { assetKey { path } partitionKeys } }
"""
CHECKS = """
query Checks { assetNodes { assetChecksOrError { ... on AssetChecks {
  checks { name executionForLatestMaterialization { status } } } } } }
"""
CHAIN = ("baseline_backtests", "metric_rollups", "autonomy_scores")


@pytest.fixture(scope="module")
def running(whole_gantry: Running) -> Running:
    return whole_gantry


def materialize(running: Running, key: str) -> str:
    """Launch the chain for one bot's partition, as the Materialize button does; return the run's id."""
    answer = running.graphql(
        LAUNCH,
        {
            "params": {
                "selector": {
                    "repositoryLocationName": "gantry",
                    "repositoryName": "__repository__",
                    "pipelineName": "__ASSET_JOB",
                    "assetSelection": [{"path": [name]} for name in CHAIN],
                },
                "mode": "default",
                "executionMetadata": {"tags": [{"key": "dagster/partition", "value": key}]},
            }
        },
    )["launchPipelineExecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id: str = answer["run"]["runId"]
    return run_id


def partition_keys(running: Running) -> set[str]:
    nodes = running.graphql(KEYS, {})["assetNodes"]
    return {key for node in nodes if node["assetKey"]["path"] == [CHAIN[0]] for key in node["partitionKeys"]}


def checks_shown(running: Running) -> dict[str, str | None]:
    """Return the status of each check as the page of its asset shows it; None: not evaluated."""
    nodes = running.graphql(CHECKS, {})["assetNodes"]
    checks = [check for node in nodes for check in node["assetChecksOrError"].get("checks", [])]
    return {check["name"]: (check["executionForLatestMaterialization"] or {}).get("status") for check in checks}


def test_a_bot_made_by_the_api_and_materialized_in_dagster_shows_its_metrics(running: Running) -> None:
    made = running.api("POST", "/api/bots", {"name": "one", "symbol": "ES", "strategy": "sma_cross"})
    assert made["success"], made
    bot_id = bot_of(made)["id"]
    key = f"one-{bot_id[-8:]}"
    until(lambda: key in partition_keys(running), seconds=60, what="the bot is a partition of Dagster's assets")
    run_id = materialize(running, key)
    until(
        lambda: running.graphql(RUN, {"id": run_id})["runOrError"].get("status") in {"SUCCESS", "FAILURE"},
        seconds=120,
        what="the run ended",
    )
    assert running.graphql(RUN, {"id": run_id})["runOrError"]["status"] == "SUCCESS", running.logs()
    shown = next(bot for bot in running.api("GET", "/api/bots?limit=10")["data"] if bot["id"] == bot_id)
    assert shown["metrics"]["reason"] is None
    assert shown["metrics"]["total_trades"] > 0
    assert shown["data_label"] == "SIMULATED"
    assert shown["autonomy_score"] is not None
    [(session_id, session_trades, session_net)] = running.rows(
        "SELECT id, total_trades, net_pnl FROM backtest_sessions WHERE bot_id = %s ORDER BY created_at DESC LIMIT 1",
        bot_id,
    )
    [(trades, total)] = running.rows("SELECT count(*), sum(net_pnl) FROM trade_logs WHERE session_id = %s", session_id)
    assert (trades, total) == (session_trades, session_net)
    assert Decimal(shown["metrics"]["net_pnl"]) == total.quantize(Decimal("0.01"))
    until(lambda: all(checks_shown(running).values()), seconds=30, what="every check of bots and bars is evaluated")
    assert checks_shown(running)["look_ahead_guards_passed"] == "SUCCEEDED"


def test_a_bot_that_is_made_is_graded_without_a_click(running: Running) -> None:
    made = running.api("POST", "/api/bots", {"name": "two", "symbol": "NQ", "strategy": "donchian_breakout"})
    bot_id = bot_of(made)["id"]
    until(
        lambda: bot_of(running.api("GET", f"/api/bots/{bot_id}"))["metrics"]["reason"] is None,
        seconds=120,
        what="the job that the planner queued was graded",
    )


def test_status_and_doctor_see_everything_that_runs(running: Running) -> None:
    status = json.loads(running.gantry("status", "--json"))
    assert status == running.status(), "tests ask without a process, and get the same answer"
    assert status["ready"]
    names = {"postgres", "api", "dagster-code", "dagster-daemon", "dagster-web"}
    assert {record["name"] for record in status["processes"]} == names
    assert {record["state"] for record in status["processes"]} == {"RUNNING"}
    assert "FAIL" not in running.gantry("doctor", "--json")


def bot_of(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the bot in an answer, whichever field holds it."""
    found: dict[str, Any] = answer.get("bot") or answer.get("data") or answer
    return found


MADE = "query Made { assetNodes { assetKey { path } partitionStats { numMaterialized } } }"


def test_a_starter_pack_is_graded_without_a_click_and_asked_for_again_adds_nothing(running: Running) -> None:
    pack = running.api("POST", "/api/bots/starter-pack", None)
    bot_ids = {bot["id"] for bot in pack["bots"]}
    assert len(bot_ids) == 20

    def graded() -> bool:
        shown = running.api("GET", "/api/bots?limit=200")["data"]
        return all(bot["metrics"]["net_pnl"] is not None for bot in shown if bot["id"] in bot_ids)

    until(graded, seconds=120, what="every bot of the pack has its baseline")
    shown = [bot for bot in running.api("GET", "/api/bots?limit=200")["data"] if bot["id"] in bot_ids]
    assert any(bot["metrics"]["total_trades"] > 0 for bot in shown)
    assert {bot["data_label"] for bot in shown} == {"SIMULATED"}
    reported = {event["event_type"] for event in running.api("GET", "/api/activity?limit=200")["data"]}
    assert reported >= {"STARTER_PACK_CREATED", "BACKTEST_QUEUED", "BACKTEST_STARTED", "BACKTEST_COMPLETED"}
    again = running.api("POST", "/api/bots/starter-pack", None)
    assert (again["made_bots"], again["made_jobs"]) == (0, 0)
    until(lambda: materialized(running) >= len(bot_ids), seconds=30, what="Dagster knows each of them")


def materialized(running: Running) -> int:
    nodes = running.graphql(MADE, {})["assetNodes"]
    (count,) = [node["partitionStats"]["numMaterialized"] for node in nodes if node["assetKey"]["path"] == [CHAIN[0]]]
    return int(count)
