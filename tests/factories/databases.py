"""Databases of the run's Postgres: how it is hurried, and a fresh one for each caller."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from shutil import disk_usage
from typing import Any

import psycopg
from psycopg import sql as pgsql
from sqlalchemy import make_url

from sql.embedded import RunningState

OwnerSql = Callable[..., Sequence[tuple[Any, ...]]]
# The run's data needn't survive the machine: what is durable has its own tests.
# A database is cloned for each test that commits: as files and without a log of them that takes 20 ms instead of 140.
HURRIED = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "128MB",
}
MEMORY, ROOM = Path("/dev/shm"), 3 * 2**30
_numbers = count(1)


def in_memory() -> bool:
    """Whether there is room in memory for the run's folders: a few hundred MB, twice."""
    return MEMORY.is_dir() and disk_usage(MEMORY).free > ROOM


def fresh(
    cluster: RunningState, superuser: psycopg.Connection[tuple[Any, ...]], *, template: str
) -> Iterator[RunningState]:
    """A database of its own, cloned from the template; dropped at the end."""
    name = f"test_{next(_numbers)}"
    quoted = pgsql.Identifier(name)
    statement = pgsql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER gantry_owner STRATEGY FILE_COPY")
    superuser.execute(statement.format(quoted, pgsql.Identifier(template)))
    urls = (
        make_url(url).set(database=name).render_as_string(hide_password=False)
        for url in (cluster.owner_url, cluster.app_url)
    )
    yield RunningState(cluster.pid, cluster.port, *urls)
    superuser.execute(pgsql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))
