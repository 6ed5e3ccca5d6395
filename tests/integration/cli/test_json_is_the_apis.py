"""`--json` prints what the API answers for the same thing, without its envelope: same names, same values."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.app import create_app
from core.clock import utc_now
from core.errors import ErrorCode, GantryError
from core.settings import Settings, get_settings
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, MetricsScope
from fleet.loops import loops
from integrations.store import BarsStore
from services.bars.simulate import simulate_months
from services.bots.create import NewBot, create_bot
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.finish import fail_job
from services.jobs.lease import LeaseTerms
from services.planner.loops import round_of
from services.resets.reset import ResetRequest, reset_metrics
from sql.engine import Transactions
from sql.tables.bots import Bot
from tests.factories.api import Api, calling
from tests.factories.commands import json_of, printed
from tests.factories.promotions import a_good_backtest, adopted

MONEY = re.compile(r"-?\d+\.\d{2}")
ADMIN = {"X-Admin-Token": "dev-admin-secret"}
NAMES = ("graded", "fresh", "reset", "failed", "waiting", "running")
MOVING = {"elapsedSeconds", "age_seconds"}  # these grow from one question to the next
OF_ONE_REQUEST = {"request_id", "metrics_reset_at", "stage_locked_until"}  # a dry run has its own each time


@pytest.fixture
def api(tx: Transactions) -> Iterator[Api]:
    with calling(create_app(settings=Settings(), tx=tx)) as client:
        yield client


@pytest.fixture
def fleet(tx: Transactions) -> dict[str, UUID]:
    """A bot in each state that is shown differently, by name."""
    ids = {}
    for name in NAMES:
        with tx() as session:
            new = NewBot(name=name, symbol="ES", strategy="sma_cross")
            made_at = utc_now() - timedelta(days=0 if name == "fresh" else 2)  # old enough for a promotion
            ids[name] = create_bot(session, new, actor="test", now=made_at)
    for name in ("graded", "reset", "failed"):
        a_good_backtest(tx, ids[name], now=utc_now())
    with tx() as session:
        asked = ResetRequest(MetricsScope.ALL, (ids["reset"],), "TEST")
        reset_metrics(session, asked, dry_run=False, actor="test", now=utc_now())
    for name in ("failed", "running"):
        with tx() as session:
            enqueue_job(session, ids[name], kind=BacktestKind.MANUAL, actor="test", max_attempts=1)
        with tx() as session:
            (claim,) = claim_chunk(session, caps=Caps(), most=1, terms=LeaseTerms(), run_id="run")
            if name == "failed":
                broke = GantryError(ErrorCode.STRATEGY_ERROR, "It broke.", fix="Fix it.")
                fail_job(session, claim, broke, session_id=None)
    with tx() as session:
        enqueue_job(session, ids["waiting"], kind=BacktestKind.MANUAL, actor="test")
    return ids


def steady(value: Any, moving: set[str] = MOVING) -> Any:
    """The same with the kind of a value in the place of those that differ from one question to the next."""
    if isinstance(value, dict):
        return {
            name: type(part).__name__ if name in moving and part is not None else steady(part, moving)
            for name, part in value.items()
        }
    return [steady(part, moving) for part in value] if isinstance(value, list) else value


def without_envelope(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in {"success", "trace_id"}}


@pytest.mark.parametrize("name", NAMES)
def test_a_bot_is_shown_with_the_names_and_values_of_the_api(api: Api, fleet: dict[str, UUID], name: str) -> None:
    answered = api.get(f"/api/bots/{fleet[name]}").json()["data"]
    shown = json_of("bots", "show", name)
    assert steady(shown) == steady(answered)
    assert list(shown) == list(answered)


def test_the_bots_of_the_comparison_differ_where_it_matters(fleet: dict[str, UUID]) -> None:
    shown = {name: json_of("bots", "show", bot_id) for name, bot_id in fleet.items()}
    assert {name: bot["botNow"]["state"] for name, bot in shown.items()} == {
        "graded": "IDLE",
        "fresh": "IDLE",
        "reset": "IDLE",
        "failed": "BLOCKED",
        "waiting": "BACKTEST_QUEUED",
        "running": "BACKTEST_RUNNING",
    }
    graded, reset = shown["graded"], shown["reset"]
    assert MONEY.fullmatch(graded["metrics"]["net_pnl"])
    assert graded["metrics"]["by_stage"]["LAB"]["net_pnl"] == graded["metrics"]["net_pnl"]
    assert graded["autonomy_breakdown"] is not None
    assert (reset["metrics"]["net_pnl"], reset["metrics"]["reason"]) == (None, "NEEDS_BACKTEST")
    assert reset["metrics_reset_at"].endswith("Z")
    assert isinstance(graded["revision"], int)
    assert [name for name, bot in shown.items() if bot["botNow"]["isNew"]] == ["fresh"]
    assert [alert["code"] for alert in shown["failed"]["botNow"]["alerts"]] == ["STRATEGY_ERROR"]


@pytest.mark.usefixtures("fleet")
def test_the_list_of_bots_is_the_api_s(api: Api) -> None:
    answered = api.get("/api/bots?limit=200").json()["data"]
    assert len(answered) == len(NAMES)
    assert steady(json_of("bots", "list")) == steady(answered)
    assert json_of("bots", "list", "--symbol", "NQ") == api.get("/api/bots?symbol=NQ").json()["data"] == []


@pytest.mark.usefixtures("fleet")
def test_a_filtered_and_sorted_list_of_bots_is_the_api_s(api: Api) -> None:
    archived = json_of("bots", "archive", "fresh")
    for options, query in (
        (("--state", "BLOCKED"), "state=BLOCKED"),
        (("--alert", "STRATEGY_ERROR", "--stage", "LAB"), "alert=STRATEGY_ERROR&stage=LAB"),
        (("--tier", "LOCKED", "--label", "VENDOR"), "tier=LOCKED&label=VENDOR"),
        (("--sort", "-net_pnl", "--limit", "2"), "sort=-net_pnl&limit=2"),
        (("--archived",), "archived=true"),
    ):
        answered = api.get(f"/api/bots?{query}").json()["data"]
        assert steady(json_of("bots", "list", *options)) == steady(answered), query
    (gone,) = json_of("bots", "list", "--archived")
    assert gone.items() <= archived.items()
    assert all(isinstance(bot["revision"], int) for bot in json_of("bots", "list"))


def test_what_a_bot_did_is_the_api_s(api: Api, fleet: dict[str, UUID]) -> None:
    for name, bot_id in fleet.items():
        for command in ("trades", "equity", "improvements", "versions"):
            answered = api.get(f"/api/bots/{bot_id}/{command}").json()["data"]
            assert json_of("bots", command, name) == answered, (command, name)
            graded = name in {"graded", "failed"}
            assert bool(answered) is (command == "versions" or (graded and command != "improvements"))


def test_an_improvement_is_the_api_s(api: Api, tx: Transactions, fleet: dict[str, UUID]) -> None:
    figures = {"net_e4": 10_000, "out_net_e4": -25_000, "unseen_net_e4": 0, "sharpe": None, "trades": 3}
    evidence = {"incumbent": figures, "candidate": figures | {"net_e4": 20_050}, "bars": {"data_label": "VENDOR"}}
    with tx() as session:
        adopted(session, session.get_one(Bot, fleet["graded"]), evidence=evidence)
    (shown,) = json_of("bots", "improvements", "graded")
    assert [shown] == api.get(f"/api/bots/{fleet['graded']}/improvements").json()["data"]
    (version,) = json_of("bots", "versions", "graded")
    assert version["improvement_id"] == shown["id"]


def test_older_trades_of_a_bot_are_shown_by_their_backtest(api: Api, fleet: dict[str, UUID]) -> None:
    path = f"/api/bots/{fleet['reset']}"
    (session_id,) = [one["id"] for one in api.get(f"{path}/backtests").json()["data"]]
    for command in ("trades", "equity"):
        answered = api.get(f"{path}/{command}?session_id={session_id}&limit=7").json()["data"]
        assert json_of("bots", command, "reset", "--session", session_id, "--limit", "7") == answered
        assert len(answered) == 7
    everything = json_of("bots", "trades", "reset", "--session", session_id, "--all")
    assert everything == api.get(f"{path}/trades?session_id={session_id}&limit=1000").json()["data"]
    assert len(everything) == 60


def test_a_changed_bot_and_a_requested_backtest_are_the_api_s(api: Api, fleet: dict[str, UUID]) -> None:
    changed = json_of("bots", "update", "fresh", "--param", "fast=7")
    assert steady(changed) == steady(api.get(f"/api/bots/{fleet['fresh']}").json()["data"])
    queued = json_of("bots", "run-backtest", "fresh")
    assert [queued["job"]] == api.get(f"/api/bots/{fleet['fresh']}/jobs").json()["data"]
    refused = api.post(f"/api/bots/{fleet['fresh']}/run-backtest").json()
    assert refused["job"] == queued["job"]


def test_a_job_is_the_api_s_with_what_a_list_of_all_bots_needs_besides(api: Api, fleet: dict[str, UUID]) -> None:
    besides = {"bot", "progress", "not_before"}
    for name, bot_id in fleet.items():
        answered = api.get(f"/api/bots/{bot_id}/jobs").json()["data"]
        listed = json_of("jobs", "list", "--bot", name)
        assert [{key: value for key, value in job.items() if key not in besides} for job in listed] == answered
        assert [set(job) - set(answered[0]) for job in listed] == [besides] * len(listed)
        assert {job["bot"] for job in listed} <= {name}
        for job in listed:
            history = json_of("jobs", "show", job["id"])
            assert history["job"] == job
            assert [line["to_status"] for line in history["ledger"]][-1] == job["status"]


def test_gates_are_the_api_s(api: Api, fleet: dict[str, UUID]) -> None:
    for name, bot_id in fleet.items():
        assert json_of("bots", "gates", name) == api.get(f"/api/bots/{bot_id}/gates").json()["data"]


def test_a_lineage_is_the_api_s(api: Api, fleet: dict[str, UUID]) -> None:
    shown = json_of("bots", "lineage", "graded")
    assert shown == api.get(f"/api/bots/{fleet['graded']}/lineage").json()["data"]
    assert MONEY.fullmatch(shown["net_pnl"])


def test_months_of_bars_are_the_api_s(api: Api, tx: Transactions, tmp_path: Path) -> None:
    store = BarsStore(str(tmp_path / "bars"))
    simulate_months(tx, store, ["ES", "6E"], ["2024-01"], actor="test", now=utc_now())
    assert len(json_of("bars", "list")) == 2
    assert json_of("bars", "list") == api.get("/api/bars").json()["data"]
    assert json_of("bars", "list", "--symbol", "ES") == api.get("/api/bars?symbol=ES").json()["data"]


@pytest.mark.usefixtures("fleet")
def test_what_the_planner_did_is_the_api_s(api: Api, tx: Transactions) -> None:
    def asked() -> None:
        shown = json_of("autonomy", "show")
        assert shown.pop("latestRun") == api.get("/api/_proof/autonomy").json()["latestRun"]
        assert steady(shown) == steady(without_envelope(api.get("/api/scheduler/status").json()))
        assert json_of("autonomy", "bots") == api.get("/api/_proof/autonomy/decisions?limit=200").json()["data"]

    asked()
    for name, every_s in loops(get_settings().planner_tick_seconds).items():
        with round_of(tx, name, every_s=every_s):
            pass
    tick = json_of("autonomy", "tick")
    asked()
    latest = json_of("autonomy", "show")["latestRun"]
    assert (latest["id"], latest["summary"]) == (tick["id"], tick["summary"])


def test_what_a_reset_or_a_revert_would_do_is_the_api_s(api: Api, fleet: dict[str, UUID]) -> None:
    one = {"dryRun": True, "botIds": [str(fleet["graded"])]}
    for command, path in (("reset-metrics", "/api/admin/reset-metrics"), ("revert-to-lab", "/api/admin/revert-to-lab")):
        for options, body in (((), {"dryRun": True}), (("--bot", "graded"), one)):
            answered = without_envelope(api.post(path, json=body, headers=ADMIN).json())
            shown = json_of("admin", command, "--dry-run", *options)
            assert steady(shown, OF_ONE_REQUEST) == steady(answered, OF_ONE_REQUEST)


def test_a_change_prints_the_bot_as_the_api_has_it_afterwards(api: Api, fleet: dict[str, UUID]) -> None:
    def answered(bot_id: object) -> Any:
        return api.get(f"/api/bots/{bot_id}").json()["data"]

    created = json_of("bots", "create", "another", "--symbol", "ES", "--strategy", "sma_cross")
    assert created == answered(created["id"])
    promoted = json_of("bots", "promote", "graded")
    assert (promoted["data"], promoted["request"]) == (answered(fleet["graded"]), None)
    assert {gate["met"] for gate in promoted["gates"]} == {True}
    assert json_of("bots", "demote", "graded") == answered(fleet["graded"])
    archived = json_of("bots", "archive", "fresh")
    assert archived["archived_at"] is not None
    assert archived == answered(fleet["fresh"])


def test_a_starter_pack_is_the_api_s(api: Api) -> None:
    made = json_of("bots", "starter-pack", "--symbol", "ES", "--count", "3")
    assert (made["made_bots"], made["made_jobs"]) == (3, 3)
    answered = without_envelope(api.post("/api/bots/starter-pack", json={"symbols": ["ES"], "count": 3}).json())
    assert steady(made | {"made_bots": 0, "made_jobs": 0}) == steady(answered)


def test_a_bot_s_page_for_a_person_has_every_field_too(api: Api, fleet: dict[str, UUID]) -> None:
    page = printed("bots", "show", "graded")
    nested = {"metrics", "botNow", "autonomy_breakdown"}
    fields = set(api.get(f"/api/bots/{fleet['graded']}").json()["data"]) - nested
    assert fields <= {line.split()[0] for line in page.splitlines() if line.split()}
