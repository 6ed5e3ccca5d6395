"""Dagster's tables in Postgres, over connections that are kept.

Dagster opens a connection for each question it asks of its own storage, and an instance for each tick of a sensor:
an idle fleet made 38 connections a second, and Postgres's forks for them kept a third of a core busy. Here all
instances of a process share one pool.
"""

from collections.abc import Mapping
from typing import Any, Self

from dagster_postgres.storage import DagsterPostgresStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import Engine, create_engine

from orchestration.dagster_private import ConfigurableClassData, share_pool

KEPT, MORE = 2, 50  # connections of a process; those above the first figure are closed after use
MOST_S = 1800  # a connection lives no longer
_pools: dict[str, Engine] = {}  # of this process, by URL


class PooledPostgresStorage(DagsterPostgresStorage):
    """DagsterPostgresStorage whose three parts share the process's pool; configured alike."""

    def __init__(
        self, postgres_url: str, *, autocreate: bool = True, inst_data: ConfigurableClassData | None = None
    ) -> None:
        """Make the tables where they are missing; once a process, since looking takes three connections.

        postgres_url: of psycopg2, see dagster.yaml.
        """
        looks = autocreate and postgres_url not in _pools
        super().__init__(postgres_url, should_autocreate_tables=looks, inst_data=inst_data)
        share_pool(self, _pools.get(postgres_url) or _pools.setdefault(postgres_url, _pool_of(postgres_url)))

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Make it from its part of dagster.yaml."""
        return cls(
            pg_url_from_config(config_value),
            autocreate=config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
        )


def _pool_of(postgres_url: str) -> Engine:
    # What Postgres closed, when it was restarted for instance, is noticed before it is used.
    return create_engine(
        postgres_url,
        isolation_level="AUTOCOMMIT",
        pool_size=KEPT,
        max_overflow=MORE,
        pool_recycle=MOST_S,
        pool_pre_ping=True,
    )
