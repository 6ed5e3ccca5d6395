"""A store of bars and an importer, on a database of their own."""

from pathlib import Path

import pytest

from integrations.store import BarsStore
from services.bars.files.import_file import ImportReport, import_file
from services.bars.simulate import simulate_months
from sql.engine import Transactions
from tests.factories.bars_files import parquet_of
from tests.factories.imported_bars import NOW, Import
from trading.bars.schema import Bars


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "bars"


@pytest.fixture
def store(root: Path) -> BarsStore:
    return BarsStore(str(root))


@pytest.fixture
def import_bars(tx: Transactions, store: BarsStore, tmp_path: Path) -> Import:
    """`import_bars(bars, name="one.parquet", **options)`: write a Parquet file and import it."""

    def run(bars: Bars, name: str = "one.parquet", **options: object) -> ImportReport:
        path = tmp_path / name
        path.write_bytes(parquet_of(bars))
        given = {"symbol": bars.symbol, "actor": "test", "now": NOW, **options}
        return import_file(tx, store, path, **given)  # type: ignore[arg-type]

    return run


@pytest.fixture
def two_months(tx: Transactions, store: BarsStore) -> None:
    simulate_months(tx, store, ["ES"], ["2023-12", "2024-01"], seed=3, actor="test", now=NOW)
