"""Bulk changes over the API: by an admin only, with a dry run that shows the effect."""

from typing import Any

import pytest

from fleet.resets import LOCK_HOURS
from tests.factories.api import Api

TOKEN = {"X-Admin-Token": "dev-admin-secret"}
RESET = "/api/admin/reset-metrics"
REVERT = "/api/admin/revert-to-lab"


def a_bot(api: Api, name: str = "one") -> str:
    made = api.post("/api/bots", json={"name": name, "symbol": "ES", "strategy": "sma_cross"})
    bot_id: str = made.json()["data"]["id"]
    return bot_id


def test_the_command_of_the_proof_pack_shows_what_a_reset_would_do(api: Api) -> None:
    bot_id = a_bot(api)
    body = {
        "scope": "ALL",
        "reasonCode": "SEV1_RESET_METRICS",
        "alsoResetEquityCurves": True,
        "dryRun": True,
    }
    reply = api.post(RESET, headers=TOKEN, json=body).json()
    assert (reply["dry_run"], reply["scope"], reply["affected_count"]) == (True, "ALL", 1)
    assert [one["bot_id"] for one in reply["bots"]] == [bot_id]
    assert api.get(f"/api/bots/{bot_id}").json()["data"]["metrics_reset_at"] is None


def test_a_reset_of_all_is_recorded_in_the_bot_and_in_the_feed(api: Api) -> None:
    bot_id = a_bot(api)
    reply = api.post(RESET, headers=TOKEN).json()
    assert (reply["dry_run"], reply["reason_code"]) == (False, "SEV1_RESET_METRICS")
    shown = api.get(f"/api/bots/{bot_id}").json()["data"]
    assert shown["metrics_reset_at"] is not None
    assert (shown["metrics"]["reason"], shown["metrics"]["net_pnl"]) == ("NEEDS_BACKTEST", None)
    assert "METRICS_RESET" in [row["event_type"] for row in api.get("/api/activity").json()["data"]]


def test_a_revert_locks_the_stage_and_counts_stages_before_and_after(api: Api) -> None:
    bot_id = a_bot(api)
    reply = api.post(REVERT, headers=TOKEN, json={"dryRun": False}).json()
    assert reply["stage_counts_before"] == reply["stage_counts_after"] == {
        "LAB": 1, "PAPER": 0, "SHADOW": 0, "CANARY": 0, "LIVE": 0,
    }  # fmt: skip
    assert reply["reason_code"] == "BULK_REVERT_SEV1_RESET"
    shown = api.get(f"/api/bots/{bot_id}").json()["data"]
    assert (shown["stage"], shown["promotion_mode"]) == ("LAB", "MANUAL")
    assert shown["stage_locked_until"] is not None
    assert LOCK_HOURS == 24


@pytest.mark.parametrize("path", [RESET, REVERT])
def test_the_operator_on_this_machine_is_no_admin(api: Api, path: str) -> None:
    reply = api.post(path, json={"dryRun": True})
    assert (reply.status_code, reply.json()["error_code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (RESET, {"botIds": []}),
        (RESET, {"scope": "SOME"}),
        (RESET, {"dryRun": "yes"}),
        (RESET, {"reasonCode": ""}),
        (RESET, {"reasonCode": "bell\x07"}),
        (RESET, {"extra": 1}),
        (REVERT, {"dryRun": True, "botIds": []}),
        (REVERT, {}),
        (REVERT, {"dryRun": True, "lockHours": -1}),
        (REVERT, {"dryRun": True, "lockHours": 1.5}),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_done(api: Api, path: str, body: dict[str, Any]) -> None:
    bot_id = a_bot(api)
    reply = api.post(path, headers=TOKEN, json=body)
    assert (reply.status_code, reply.json()["error_code"]) == (422, "VALIDATION_FAILED"), reply.text
    assert api.get(f"/api/bots/{bot_id}").json()["data"]["metrics_reset_at"] is None


def test_the_same_key_resets_once(api: Api) -> None:
    a_bot(api)
    headers = {**TOKEN, "Idempotency-Key": "once"}
    first = api.post(RESET, headers=headers, json={}).json()
    again = api.post(RESET, headers=headers, json={}).json()
    assert first["request_id"] == again["request_id"]
    reported = [row["event_type"] for row in api.get("/api/activity").json()["data"]]
    assert reported.count("METRICS_RESET") == 1
