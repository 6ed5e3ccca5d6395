"""The API's part of the proof pack: the contract's commands, asked of the running Gantry, with what they print."""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.proof.pack import Piece, PieceOutcome

TIMEOUT_S: Final = 60.0
TOKEN: Final = "$ADMIN_TOKEN"  # noqa: S105 - what is written in the token's place
_RESET: Final = (
    '{"scope":"ALL","reasonCode":"SEV1_RESET_METRICS","alsoResetEquityCurves":true,"dryRun":true}'  # never for real
)
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """One command of the contract. jq: its filter; pick does the same here, where jq may not be installed.

    to_come: its endpoint isn't built yet.
    """

    name: str
    proves: str
    path: str
    jq: str
    pick: Callable[[Body], Sequence[object]]
    sent: str | None = None
    to_come: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """The API of the running Gantry. token: sent with what only an admin may ask; for_all: with everything."""

    port: int
    token: str
    trace_id: str
    for_all: bool = False

    def ask(self, question: Question) -> tuple[int, bytes]:
        """Return status and body.

        Raises:
            OSError, HTTPException: when nothing answers.

        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        headers = {"traceparent": f"00-{self.trace_id}-{self.trace_id[:16]}-01"}
        if question.sent is not None:
            headers["Content-Type"] = "application/json"
        if self._with_token(question):
            headers["X-Admin-Token"] = self.token
        try:
            method = "GET" if question.sent is None else "POST"
            connection.request(method, question.path, body=question.sent, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def command(self, question: Question) -> str:
        """Return the command as a person types it; the token is never in it."""
        url = f"http://localhost:{self.port}{question.path}"
        url = f'"{url}"' if "?" in url else url
        token = f' -H "X-Admin-Token: {TOKEN}"' if self._with_token(question) else ""
        jq = f"jq '{question.jq}'" if question.jq else "jq"
        if question.sent is None:
            return f"curl -s{token} {url} | {jq}"
        return f"curl -s -X POST {url} -H \"Content-Type: application/json\"{token} \\\n  -d '{question.sent}' | {jq}"

    def _with_token(self, question: Question) -> bool:
        return self.for_all or question.sent is not None


def _bots(body: Body) -> Sequence[object]:
    return [{name: bot[name] for name in ("id", "name", "stage", "botNow")} for bot in body["data"]]


def _jobs_now(body: Body) -> Sequence[object]:
    return [
        {
            "name": bot["name"],
            "stage": bot["stage"],
            "botNow": bot["botNow"]["state"],
            "job": bot["botNow"]["activeJob"],
        }
        for bot in body["data"]
    ]


def _last_summary(body: Body) -> Sequence[object]:
    run = body["latestRun"]
    return [None if run is None else run["summary"]]


def _whole(body: Body) -> Sequence[object]:
    return [body]


QUESTIONS: Final = (
    Question("bots", "what every bot is doing now", "/api/bots?limit=10", ".data[] | {id,name,stage,botNow}", _bots),
    Question(
        "bots-jobs",
        "which job each bot is busy with",
        "/api/bots?limit=10",
        ".data[] | {name, stage, botNow: .botNow.state, job: .botNow.activeJob}",
        _jobs_now,
    ),
    Question(
        "autonomy",
        "what the planner last found, planned and left, with the reasons",
        "/api/_proof/autonomy",
        ".latestRun.summary",
        _last_summary,
    ),
    Question(
        "jobs",
        "how many jobs there are by status and type",
        "/api/_proof/jobs",
        ".counts,.byType",
        lambda body: [body["counts"], body["byType"]],
    ),
    Question("readiness", "whether the system may work, check by check", "/api/readiness", ".", _whole, to_come=True),
    Question(
        "reset-dry-run",
        "what a reset of all metrics would change; a dry run changes nothing",
        "/api/admin/reset-metrics",
        "",
        _whole,
        sent=_RESET,
    ),
    Question("scheduler", "the state of every loop, and when it last ran", "/api/scheduler/status", ".", _whole),
    Question(
        "decisions",
        "why each bot has a job or has none",
        "/api/_proof/autonomy/decisions?limit=200",
        ".data[] | {bot_name, enqueued, reason_code, not_started}",
        lambda body: [
            {name: row[name] for name in ("bot_name", "enqueued", "reason_code", "not_started")} for row in body["data"]
        ],
    ),
)
_DOCUMENT: Final = Question("openapi", "", "/api/openapi.json", "", _whole)


def api_pieces(api: Api, questions: Sequence[Question] = QUESTIONS) -> Iterator[Piece]:
    """Yield for each question its command with what it prints, and the whole answer beside it."""
    for number, question in enumerate(questions, 1):
        stem, command = f"api-{number}-{question.name}", api.command(question)
        try:
            status, raw = api.ask(question)
        except (OSError, http.client.HTTPException) as error:
            message = f"Nothing answers on port {api.port}: {error}"
            yield Piece(f"{stem}.txt", question.proves, f"$ {command}\n\n{message}\n", PieceOutcome.FAILED, message)
            continue
        yield from _answered(api, question, stem, command, status=status, raw=raw)


def _answered(api: Api, question: Question, stem: str, command: str, *, status: int, raw: bytes) -> Iterator[Piece]:
    body = _read(raw)
    if body is None:
        message = f"HTTP {status}, but the answer is not a JSON object."
        yield Piece(f"{stem}.txt", question.proves, f"$ {command}\n\n{message}\n", PieceOutcome.FAILED, message)
        return
    shown, outcome, message = "", PieceOutcome.OK, ""
    if status == 200 and body.get("success") is True:
        try:
            shown = "\n".join(_indented(value) for value in question.pick(body))
        except (KeyError, TypeError, AttributeError) as error:
            outcome, message = (
                PieceOutcome.FAILED,
                f"The answer lacks a required field: {type(error).__name__} {error}.",
            )
    else:
        message = f"HTTP {status} {body.get('error_code')}: {body.get('message')}"
        outcome = PieceOutcome.NOT_AVAILABLE if _not_built(api, question, status) else PieceOutcome.FAILED
    if outcome is not PieceOutcome.OK:
        reported = f"$ {command}\n\n{message}\n\n{_indented(body)}\n"
        yield Piece(f"{stem}.txt", question.proves, reported, outcome, message)
        return
    yield Piece(f"{stem}.txt", question.proves, f"$ {command}\n\n{shown}\n")
    yield Piece(f"{stem}.json", f"the whole answer to {stem}", _indented(body) + "\n")


def _not_built(api: Api, question: Question, status: int) -> bool:
    """Whether the API itself says that it has no such endpoint: 501, or a path that isn't in its own description."""
    if status == http.client.NOT_IMPLEMENTED:
        return True
    if status != http.client.NOT_FOUND or not question.to_come:
        return False
    try:
        _status, raw = api.ask(_DOCUMENT)
    except (OSError, http.client.HTTPException):
        return False
    document = _read(raw) or {}
    return "paths" in document and question.path not in document["paths"]


def _read(raw: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _indented(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
