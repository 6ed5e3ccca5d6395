"""The folder of bars: one Parquet file per provider, symbol, month and content."""

from integrations.store.files import BarsStore

__all__ = ["BarsStore"]
