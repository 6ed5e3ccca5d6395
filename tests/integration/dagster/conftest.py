"""A real Dagster instance on Postgres, made from the dagster.yaml that ships, beside the domain's tables."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance
from sqlalchemy import make_url

from assets.domain import Domain
from core.settings import ROOT
from integrations.store import BarsStore
from services.supply.top_up import Supply
from sql.embedded import RunningState
from sql.engine import Transactions


@pytest.fixture
def dagster_url(database: RunningState) -> str:
    url = make_url(database.owner_url).set(drivername="postgresql+psycopg2")
    return url.render_as_string(hide_password=False) + "?options=-csearch_path%3Ddagster"


@pytest.fixture
def dagster_home(tmp_path: Path, dagster_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    monkeypatch.setenv("GANTRY_DAGSTER_URL", dagster_url)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return home


@pytest.fixture
def instance(dagster_home: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.from_config(str(dagster_home)) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> BarsStore:
    return BarsStore(str(tmp_path / "bars"))


@pytest.fixture
def domain(tx: Transactions, store: BarsStore) -> Domain:
    return Domain(tx, store, actor="test", supply=Supply(simulates=True), idle_s=0.2)
