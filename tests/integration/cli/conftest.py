"""Commands on a test's own database."""

from collections.abc import Iterator

import pytest

from core.settings import get_settings
from sql.embedded import RunningState


@pytest.fixture(autouse=True)
def own_database(database: RunningState, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()
