"""The embedded Postgres runs for root, with or without user namespaces, and for an ordinary user."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.settings import ROOT

START_TWICE = """
import sys
from pathlib import Path
import psycopg
from core.errors import GantryError
from sql.embedded import EmbeddedPostgres
try:
    for statement in ("CREATE TABLE kept (word text)", "SELECT * FROM kept"):
        with EmbeddedPostgres(Path(sys.argv[1])) as state, psycopg.connect(state.owner_url) as connection:
            connection.execute(statement)
except GantryError as error:
    sys.exit(str(error))
print("fine")
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who starts it: what stands before the command, and whether `unshare` is to be found."""

    name: str
    prefix: tuple[str, ...] = ()
    has_unshare: bool = True


# For root, an ordinary user is a namespace in which root is one: it holds no capability, and may read this checkout.
ROOTS = (
    Caller("root in a namespace"),
    Caller("root without namespaces", has_unshare=False),
    Caller("ordinary user", ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")),
)
CALLERS = ROOTS if os.geteuid() == 0 else (Caller("ordinary user"),)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder whose parents anybody may pass; pytest's own are its user's alone."""
    folder = Path(tempfile.mkdtemp(prefix="gantry-"))
    yield folder
    shutil.rmtree(folder)


def _start_as(caller: Caller, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*caller.prefix, sys.executable, "-c", START_TWICE, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PATH": os.environ["PATH"] if caller.has_unshare else "/nowhere"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.name)
def test_it_starts_keeps_what_was_written_and_starts_again(caller: Caller, open_folder: Path) -> None:
    open_folder.chmod(0o755)
    ran = _start_as(caller, open_folder)
    assert (ran.stdout, ran.stderr) == ("fine\n", "")


@pytest.mark.parametrize("caller", CALLERS[-1:], ids=lambda caller: caller.name)
def test_a_folder_that_may_not_be_written_is_one_clear_line(caller: Caller, open_folder: Path) -> None:
    open_folder.chmod(0o555)
    ran = _start_as(caller, open_folder / "postgres")
    open_folder.chmod(0o755)
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert "can't hold the database: Permission denied" in ran.stderr
