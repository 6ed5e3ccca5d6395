"""What tests use of Dagster's private modules, to see what its web server sees: the one place there that names them."""

from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

__all__ = ["AssetCheckExecutionRecord", "LoadingContextForTest", "get_and_update_asset_status_cache_value"]
