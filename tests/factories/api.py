"""A client that holds every answer against the OpenAPI document, and what tests ask of it most."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]
from fastapi import FastAPI

from api.app import create_app
from core.settings import Settings

BODY = {"name": "alpha", "symbol": "ES", "strategy": "sma_cross"}
TRACE_ID = re.compile("^[0-9a-f]{32}$")


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document: that of every application, and a quarter of a second's work."""
    return create_app(settings=Settings()).openapi()


class Api:
    """Synchronous calls; `get` and `post` return the response after checking envelope and schema."""

    def __init__(self, app: FastAPI, runner: asyncio.Runner, *, peer: str = "127.0.0.1") -> None:
        self.app = app
        self.document = document()
        self._runner = runner
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(peer, 50_000))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.call("POST", path, **options)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        response = self._runner.run(self._send(method, path, options))
        self._check(method, response)
        return response

    async def _send(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://localhost:5000") as client:
            return await client.request(method, path, **options)

    def _check(self, method: str, response: httpx.Response) -> None:
        path = response.request.url.path
        assert TRACE_ID.match(response.headers["x-trace-id"])
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        if path == "/api/openapi.json":
            return
        body = response.json()
        assert body["trace_id"] == response.headers["x-trace-id"]
        assert body["success"] is (response.status_code < 400)
        self._validate(body, self._schema(method, path, response.status_code))

    def _schema(self, method: str, path: str, status: int) -> dict[str, Any]:
        for template, operations in self.document["paths"].items():
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if re.fullmatch(pattern, path) and method.lower() in operations:
                answers = operations[method.lower()]["responses"]
                assert str(status) in answers, f"{method} {template} doesn't document {status}"
                schema: dict[str, Any] = answers[str(status)]["content"]["application/json"]["schema"]
                return schema
        assert status in {400, 403, 404, 405, 413}
        return {"$ref": "#/components/schemas/ErrorBody"}

    def _validate(self, body: object, schema: dict[str, Any]) -> None:
        whole = {**schema, "components": self.document["components"]}
        jsonschema.Draft202012Validator(whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).validate(
            body
        )


@contextmanager
def calling(app: FastAPI, *, peer: str = "127.0.0.1") -> Iterator[Api]:
    """A client on an event loop of its own."""
    with asyncio.Runner() as runner:
        yield Api(app, runner, peer=peer)


def create(api: Api, **changes: object) -> dict[str, Any]:
    """Make a bot; return it as it was answered."""
    response = api.post("/api/bots", json={**BODY, **changes})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()["data"]
    return found


def walk(api: Api, path: str, *, limit: int) -> list[dict[str, Any]]:
    """Every row of a list, page by page."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        body = api.get(path, params=params).json()
        rows += body["data"]
        cursor = body["page"]["next_cursor"]
        if cursor is None:
            return rows
