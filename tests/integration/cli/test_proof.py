"""`gantry proof` against an API that listens: every file of the pack, its hash, and what happens when a part fails."""

import hashlib
import json
import re
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from api.app import create_app
from cli.main import main
from cli.up.ports import free_port
from core.settings import Settings, get_settings
from fleet.closed_sets import JobStatus, TickCause
from services.planner.terms import planner_terms_of
from services.planner.tick import run_tick
from sql.embedded import RunningState
from sql.engine import Transactions
from tests.factories.bots import make_bot
from tests.factories.databases import OwnerSql
from tests.factories.jobs import make_job

TOKEN = "a-token-nobody-may-read"
ROW = re.compile(r"^\| \[(\S+)\]\(\S+\) \| (\w+) \| (.+) \| `([0-9a-f]{64})` \|$", re.MULTILINE)
Serve = Callable[[FastAPI], None]


@pytest.fixture(autouse=True)
def environment(database: RunningState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    monkeypatch.setenv("GANTRY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GANTRY_PORT", str(free_port()))
    monkeypatch.setenv("ADMIN_TOKEN", TOKEN)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(app)`: listen on GANTRY_PORT until the test ends."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: FastAPI) -> None:
        config = uvicorn.Config(app, host="127.0.0.1", port=Settings().gantry_port, log_level="warning")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()


@pytest.fixture
def fleet(tx: Transactions) -> list[str]:
    """Three bots, of which one is graded and two were planned for; their ids, newest first."""
    with tx() as session:
        made = [make_bot(session, name) for name in ("one", "two\nlines", "three")]
        make_job(session, made[0], JobStatus.CANCELED)
        ids = [str(bot.id) for bot in made]
    assert run_tick(tx, planner_terms_of(Settings()), cause=TickCause.CLOCK) is not None
    return ids[::-1]


def prove(folder: Path, *more: str) -> int:
    try:
        main(["proof", "--out", str(folder), *more])
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def index_of(folder: Path) -> dict[str, str]:
    """Return the outcome by file, having held every hash against its file."""
    rows = ROW.findall((folder / "index.md").read_text())
    for file, _outcome, proves, digest in rows:
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest
        assert proves
    return {file: outcome for file, outcome, _proves, _digest in rows}


def table(tx: Transactions, owner_sql: OwnerSql) -> object:
    return owner_sql("SELECT md5(string_agg(b::text, '' ORDER BY id)) FROM bots b"), owner_sql(
        "SELECT count(*) FROM bot_metrics_events"
    )


def test_the_whole_pack_is_written_and_nothing_is_changed(
    serve: Serve, fleet: list[str], tx: Transactions, owner_sql: OwnerSql, tmp_path: Path
) -> None:
    serve(create_app(tx=tx))
    before, folder = table(tx, owner_sql), tmp_path / "pack"
    assert prove(folder) == 0
    assert table(tx, owner_sql) == before
    outcomes = index_of(folder)
    assert {file for file, outcome in outcomes.items() if outcome != "OK"} == {
        file for file in ("api-5-readiness.txt", "sql-bot_instances.txt") if outcomes[file] == "NOT_AVAILABLE"
    }
    assert {path.name for path in folder.iterdir()} == {*outcomes, "index.md"}
    jobs = json.loads((folder / "api-4-jobs.json").read_text())
    assert jobs["counts"] | {"QUEUED": 3, "CANCELED": 1} == jobs["counts"]
    summary = json.loads((folder / "api-3-autonomy.txt").read_text().split("\n\n", 1)[1])
    assert summary["jobs_enqueued"] == 3
    rows = (folder / "sql-bot_jobs.txt").read_text()
    assert re.findall(r"^-- bot: (.+)$", rows, re.MULTILINE) == ["three", "two lines", "one"]
    assert [f"WHERE bot_id='{bot_id}' ORDER BY" in rows for bot_id in fleet] == [True] * 3
    assert rows.count("| QUEUED") == 3
    assert rows.count("| CANCELED") == 1
    assert "(2 rows)" in rows
    assert "I7       ok" in (folder / "invariants.txt").read_text()
    assert re.search(r"^schema +\d{4}", (folder / "versions.txt").read_text(), re.MULTILINE)
    assert " 3 | 3 " in re.sub(" +", " ", (folder / "sql-ticks_and_jobs.txt").read_text())


def test_what_is_written_as_printed_is_what_the_commands_filter_picks(
    serve: Serve, fleet: list[str], tx: Transactions, tmp_path: Path
) -> None:
    serve(create_app(tx=tx))
    assert prove(tmp_path / "pack") == 0
    read = {path.stem: path.read_text() for path in (tmp_path / "pack").glob("api-*.txt")}
    whole = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "pack").glob("api-*.json")}
    for stem in ("api-1-bots", "api-2-bots-jobs", "api-8-decisions"):
        (names,) = re.findall(r"\| jq '\.data\[\] \| \{(.+)\}'\n", read[stem])
        picked = [name.strip().partition(": ") for name in names.split(",")]
        rows = [
            {name: reached(row, path.lstrip(".") or name) for name, _, path in picked} for row in whole[stem]["data"]
        ]
        assert printed(read[stem]) == rows
        assert len(rows) == 3
    assert printed(read["api-3-autonomy"]) == [whole["api-3-autonomy"]["latestRun"]["summary"]]
    assert printed(read["api-4-jobs"]) == [whole["api-4-jobs"]["counts"], whole["api-4-jobs"]["byType"]]
    for stem in ("api-6-reset-dry-run", "api-7-scheduler"):
        assert printed(read[stem]) == [whole[stem]]


def test_an_answer_that_lacks_what_is_asked_for_fails(serve: Serve, tmp_path: Path) -> None:
    app = FastAPI()
    app.add_api_route("/api/bots", lambda: {"success": True, "data": [{"id": 1}]}, methods=["GET"])
    app.add_api_route("/api/_proof/jobs", lambda: "no object", methods=["GET"])
    serve(app)
    assert prove(tmp_path / "pack") == 1
    assert {"api-1-bots.txt", "api-3-autonomy.txt", "api-4-jobs.txt"} <= {
        file for file, outcome in index_of(tmp_path / "pack").items() if outcome == "FAILED"
    }
    assert "lacks a required field" in (tmp_path / "pack" / "api-1-bots.txt").read_text()
    assert "HTTP 404" in (tmp_path / "pack" / "api-3-autonomy.txt").read_text()
    assert "not a JSON object" in (tmp_path / "pack" / "api-4-jobs.txt").read_text()


def reached(row: dict[str, Any], path: str) -> object:
    found: Any = row
    for name in path.split("."):
        found = found[name]
    return found


def printed(text: str) -> list[object]:
    """Return the JSON values below a command, one after the other."""
    rest, values = text.split("\n\n", 1)[1].strip(), []
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        values.append(value)
        rest = rest[end:].strip()
    return values


def test_a_written_command_runs_as_it_stands_and_no_secret_is_written(
    serve: Serve, fleet: list[str], tx: Transactions, database: RunningState, tmp_path: Path
) -> None:
    serve(create_app(tx=tx))
    assert prove(tmp_path / "pack") == 0
    written = {path.name: path.read_text() for path in (tmp_path / "pack").iterdir()}
    assert [name for name, text in written.items() if TOKEN in text or database.owner_url in text] == []
    command = written["api-6-reset-dry-run.txt"].split("\n\n", 1)[0]
    dollar, curl, *words, pipe, jq = shlex.split(command.replace("\\\n", ""))
    assert (dollar, curl, pipe, jq) == ("$", "curl", "|", "jq")
    assert words[:4] == ["-s", "-X", "POST", f"http://localhost:{Settings().gantry_port}/api/admin/reset-metrics"]
    headers = dict(word.split(": ", 1) for flag, word in pairwise(words) if flag == "-H")
    assert headers == {"Content-Type": "application/json", "X-Admin-Token": "$ADMIN_TOKEN"}
    (body,) = [word for flag, word in pairwise(words) if flag == "-d"]
    reply = httpx.post(words[3], content=body, headers=headers | {"X-Admin-Token": TOKEN}).json()
    assert (reply["dry_run"], reply["scope"], reply["affected_count"]) == (True, "ALL", 3)


def test_in_production_every_question_carries_the_token_and_no_command_shows_it(
    serve: Serve, fleet: list[str], tx: Transactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = TOKEN * 2
    for name, value in {"APP_ENV": "production", "ADMIN_TOKEN": token, "APP_ENC_KEY": "a-key-of-its-own"}.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    serve(create_app(settings=Settings(), tx=tx))
    assert prove(tmp_path / "pack") == 0
    assert index_of(tmp_path / "pack")["api-1-bots.json"] == "OK"
    written = {path.name: path.read_text() for path in (tmp_path / "pack").iterdir()}
    assert [name for name, text in written.items() if TOKEN in text or "a-key-of-its-own" in text] == []
    assert 'curl -s -H "X-Admin-Token: $ADMIN_TOKEN" http://localhost:' in written["api-4-jobs.txt"]


def test_without_an_api_the_rest_is_written_and_the_command_fails(
    fleet: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prove(tmp_path / "pack") == 1
    outcomes = index_of(tmp_path / "pack")
    assert {outcome for file, outcome in outcomes.items() if file.startswith("api-")} == {"FAILED"}
    assert outcomes["sql-bot_jobs.txt"] == outcomes["invariants.txt"] == outcomes["versions.txt"] == "OK"
    index = (tmp_path / "pack" / "index.md").read_text()
    assert "## Failed" in index
    assert "Nothing answers on port" in index
    assert "failed" in capsys.readouterr().err


def test_without_a_database_the_answers_of_the_api_are_written_and_the_command_fails(
    serve: Serve, fleet: list[str], tx: Transactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(create_app(tx=tx))
    monkeypatch.setenv("DATABASE_URL", f"postgresql://a:secret-word@127.0.0.1:{free_port()}/d")
    get_settings.cache_clear()
    assert prove(tmp_path / "pack") == 1
    outcomes = index_of(tmp_path / "pack")
    assert outcomes["api-1-bots.json"] == "OK"
    assert outcomes["sql-rows.txt"] == outcomes["invariants.txt"] == outcomes["versions.txt"] == "FAILED"
    assert "secret-word" not in "".join(path.read_text() for path in (tmp_path / "pack").iterdir())


def test_a_tick_that_says_something_else_than_its_jobs_is_found(
    serve: Serve, fleet: list[str], tx: Transactions, owner_sql: OwnerSql, tmp_path: Path
) -> None:
    serve(create_app(tx=tx))
    owner_sql("UPDATE autonomy_planner_runs SET jobs_enqueued = 4")
    assert prove(tmp_path / "pack") == 1
    assert [file for file, outcome in index_of(tmp_path / "pack").items() if outcome == "FAILED"] == [
        "sql-ticks_and_jobs.txt"
    ]


def test_a_broken_invariant_fails_the_pack_and_is_in_it(
    serve: Serve, fleet: list[str], tx: Transactions, owner_sql: OwnerSql, tmp_path: Path
) -> None:
    serve(create_app(tx=tx))
    owner_sql("UPDATE bots SET stage = 'PAPER' WHERE name = 'one'")  # without its audit row
    assert prove(tmp_path / "pack") == 1
    assert index_of(tmp_path / "pack")["invariants.txt"] == "FAILED"
    assert "I7       1 violations" in (tmp_path / "pack" / "invariants.txt").read_text()


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (501, {"success": False, "error_code": "NOT_IMPLEMENTED", "message": "not yet"}, "NOT_AVAILABLE"),
        (404, {"success": False, "error_code": "NOT_FOUND", "message": "no"}, "FAILED"),
        (503, {"success": False, "error_code": "DATABASE_UNAVAILABLE", "message": "no"}, "FAILED"),
        (200, {"success": True, "overall": "OK"}, "OK"),
    ],
)
def test_what_readiness_answers_decides_whether_it_is_missing_or_broken(
    serve: Serve, tx: Transactions, tmp_path: Path, status: int, body: dict[str, object], outcome: str
) -> None:
    app = create_app(tx=tx)
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") != "/api/readiness"]
    app.add_api_route("/api/readiness", lambda: JSONResponse(body, status), methods=["GET"])
    app.openapi_schema = None
    serve(app)
    assert prove(tmp_path / "pack") == (1 if outcome == "FAILED" else 0)
    assert index_of(tmp_path / "pack")["api-5-readiness.txt"] == outcome


def test_a_folder_that_holds_something_is_left_alone_unless_forced(
    serve: Serve, tx: Transactions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    assert prove(folder) == 1
    assert capsys.readouterr().err.startswith("CONFLICT")
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    serve(create_app(tx=tx))
    assert prove(folder, "--force") == 0
    assert (folder / "mine.txt").read_text() == "mine"
    assert "Not part of this pack, already in the folder: mine.txt." in (folder / "index.md").read_text()
    assert "mine.txt" not in index_of(folder)


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pack").write_text("a file")
    assert prove(tmp_path / "pack") == 1
    assert capsys.readouterr().err.startswith("ENVIRONMENT_INVALID")


def test_an_empty_fleet_has_a_pack_too(serve: Serve, tx: Transactions, tmp_path: Path) -> None:
    serve(create_app(tx=tx))
    assert prove(tmp_path / "pack") == 0
    assert "there are no bots" in (tmp_path / "pack" / "sql-bot_jobs.txt").read_text()


def test_rows_are_written_of_as_many_bots_as_are_asked_for(
    serve: Serve, fleet: list[str], tx: Transactions, tmp_path: Path
) -> None:
    serve(create_app(tx=tx))
    assert prove(tmp_path / "pack", "--bots", "1") == 0
    assert re.findall(r"^-- bot: (.+)$", (tmp_path / "pack" / "sql-bot_jobs.txt").read_text(), re.MULTILINE) == [
        "three"
    ]
