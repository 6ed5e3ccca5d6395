"""What the application does once, as it starts."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI

from api.app import create_app
from core.settings import Settings


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
