"""What the application does once, as it starts."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor

import httpx
from fastapi import FastAPI

from api.app import create_app
from core.settings import Settings
from sql.engine import Transactions


def test_no_request_waits_for_a_garbage_collection_of_what_was_imported() -> None:
    app = create_app(settings=Settings())
    assert asyncio.run(_frozen_while_running(app)) > 10_000
    assert gc.get_freeze_count() == 0


async def _frozen_while_running(app: FastAPI) -> int:
    async with app.router.lifespan_context(app):
        return gc.get_freeze_count()


def test_threads_that_ask_at_once_are_given_the_one_document_that_is_made() -> None:
    app = create_app(settings=Settings())
    with ThreadPoolExecutor(6) as pool:
        documents = list(pool.map(lambda _: app.openapi(), range(6)))
    assert all(document is documents[0] for document in documents)


MANY = 50


def test_more_changes_at_once_than_threads_are_made_one_after_the_other(tx: Transactions) -> None:
    alive, answers = asyncio.run(_at_once(create_app(settings=Settings(), tx=tx)))
    assert alive == 200
    assert sorted(answers) == [200] * (MANY - 1) + [201]


async def _at_once(app: FastAPI) -> tuple[int, list[int]]:
    """Ask for the starter pack many times, all of whom wait for one lock, and whether the process is alive."""
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost:5000", timeout=60) as client,
    ):
        asked = [asyncio.create_task(client.post("/api/bots/starter-pack", json={"count": 2})) for _ in range(MANY)]
        await asyncio.sleep(0.1)
        alive = await asyncio.wait_for(client.get("/api/healthz"), 5)
        return alive.status_code, [answer.status_code for answer in await asyncio.gather(*asked)]
