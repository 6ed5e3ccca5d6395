"""The checks of `gantry doctor`: each inspects one thing and reports it; none changes anything."""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import disk_usage

from cli.database import connected
from cli.up.home import MIN_FREE_BYTES, Home, open_home
from cli.up.ports import require_answer, require_free
from cli.up.state import is_locked, port_of, read_state
from core.clock import utc_now
from core.errors import ErrorCode, GantryError, Kind, data_unavailable
from core.settings import ROOT, Settings

PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^ ;\\]+)(?: ; ([^\\]+))?", re.MULTILINE)

SETTLING_S = 60.0  # after the daemon's start: its sensors come up one by one


class CheckStatus(StrEnum):
    """What a check found; NOT_CHECKED is neither good nor bad, and says why."""

    OK = "OK"
    FAIL = "FAIL"
    NOT_CHECKED = "NOT_CHECKED"


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """One check's outcome; `fix` is empty when nothing is to be done."""

    name: str
    verdict: CheckStatus
    observed: str
    fix: str = ""


def all_checks(settings: Settings) -> tuple[DoctorCheck, ...]:
    """Run every check."""
    home = Home(settings.gantry_home.absolute())
    running = is_locked(home.lock_file)
    checks = [check_python(), check_packages(ROOT / "requirements.lock"), check_folder(home), check_disk(home)]
    for name, process, port, variable in (
        ("api port", "api", settings.gantry_port, "GANTRY_PORT"),
        ("dagster port", "dagster-web", settings.gantry_dagster_port, "GANTRY_DAGSTER_PORT"),
    ):
        checks.append(check_port(name, port, variable=variable, own=port_of(home, process)))
    database = tuple(database_checks(settings, running=running))
    reachable = any(check.name == "postgres" and check.verdict is CheckStatus.OK for check in database)
    loops = (
        loops_check(settings, home, running=running)
        if reachable or not running
        else DoctorCheck("loops", CheckStatus.NOT_CHECKED, "Postgres doesn't answer")
    )
    return (*checks, *database, loops)


def check_python() -> DoctorCheck:
    """Whether Gantry is tested on this Python."""
    seen = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro} at {sys.executable}"
    if (3, 11) <= sys.version_info[:2] < (3, 14):
        return DoctorCheck("python", CheckStatus.OK, seen)
    return DoctorCheck("python", CheckStatus.FAIL, seen, "Set up again with Python 3.11, 3.12 or 3.13: `make setup`.")


def check_packages(lock: Path) -> DoctorCheck:
    """Whether the installed packages are those of the lock file."""
    pinned: dict[str, set[str]] = {}
    for name, wanted, marker in PINNED.findall(lock.read_text()):
        # One with a marker may belong to another platform, or stand there twice; pip itself installs nothing here.
        if name != "pip" and (not marker or _installed(name)):
            pinned.setdefault(name, set()).add(wanted)
    wrong = [f"{name} {_installed(name) or 'missing'}" for name in pinned if _installed(name) not in pinned[name]]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return DoctorCheck(
            "packages", CheckStatus.FAIL, f"differ from the lock: {', '.join(wrong[:3])}{more}", "`make setup`"
        )
    return DoctorCheck("packages", CheckStatus.OK, f"{len(pinned)} as locked")


def check_folder(home: Home) -> DoctorCheck:
    """Whether the data folder can be written to."""
    try:
        open_home(home.root)
    except GantryError as error:
        return DoctorCheck("data folder", CheckStatus.FAIL, error.message, error.fix)
    return DoctorCheck("data folder", CheckStatus.OK, str(home.root))


def check_disk(home: Home) -> DoctorCheck:
    """Whether there is room for data."""
    folder = next(path for path in (home.root, *home.root.parents) if path.exists())
    free = disk_usage(folder).free
    seen = f"{free / 1024**3:.1f} GiB free"
    if free < MIN_FREE_BYTES:
        return DoctorCheck("disk", CheckStatus.FAIL, seen, "Free at least 200 MiB, or set GANTRY_HOME to another disk.")
    return DoctorCheck("disk", CheckStatus.OK, seen)


def check_port(name: str, port: int, *, variable: str, own: int | None) -> DoctorCheck:
    """Whether a port is free; where Gantry runs, whether its own answers. own: that of the Gantry that runs."""
    try:
        if own is None:
            require_free(port, variable=variable)
        else:
            require_answer(own)
    except GantryError as error:
        return DoctorCheck(name, CheckStatus.FAIL, error.message, error.fix)
    return DoctorCheck(name, CheckStatus.OK, f"{port} is free" if own is None else f"{own}: Gantry is running")


def database_checks(settings: Settings, *, running: bool) -> Iterator[DoctorCheck]:
    """Look into the database, when there is one to look into."""
    names = ("postgres", "migrations", "bars")
    if settings.database_url is None and not running:
        for name in names:
            yield DoctorCheck(name, CheckStatus.NOT_CHECKED, "Gantry isn't running", "Run `gantry up` first.")
        return
    reachable = _looked("postgres", _postgres, settings)
    yield reachable
    for name, look in (("migrations", _migrations), ("bars", _bars)):
        if reachable.verdict is CheckStatus.OK:
            yield _looked(name, look, settings)
        else:
            yield DoctorCheck(name, CheckStatus.NOT_CHECKED, "Postgres doesn't answer")


def loops_check(settings: Settings, home: Home, *, running: bool) -> DoctorCheck:
    """Whether every loop runs while Gantry is up; just after a start they may not have begun."""
    if not running:
        return DoctorCheck("loops", CheckStatus.NOT_CHECKED, "Gantry isn't running", "Run `gantry up` first.")
    up_s = _daemon_up_s(home)
    if up_s is not None and up_s < SETTLING_S:
        return DoctorCheck(
            "loops", CheckStatus.NOT_CHECKED, f"Dagster's daemon started {up_s:.0f} s ago", "Check again in a minute."
        )
    return _looked("loops", _loops, settings)


def _daemon_up_s(home: Home) -> float | None:
    """Return for how many seconds the daemon has been in its state; None where that isn't known."""
    state = read_state(home)
    since = next((one.since for one in state.processes if one.name == "dagster-daemon"), None) if state else None
    return None if since is None else (utc_now() - datetime.fromisoformat(since)).total_seconds()


def _loops(settings: Settings) -> str:
    from fleet.loops import LoopState, loops
    from services.planner.status import scheduler_status

    with connected(settings) as tx, tx() as session:
        status = scheduler_status(session, loops(settings.planner_tick_seconds))
    bad = [
        f"{loop.loop} {loop.health}" + (f": {loop.error}" if loop.error else "")
        for loop in status.loops
        if loop.health is not LoopState.OK
    ]
    if bad:
        raise GantryError(
            ErrorCode.INTERNAL,
            "; ".join(bad),
            fix="`gantry status` shows the daemon; in Dagster, under Automation, see that the sensor is on.",
            kind=Kind.UNAVAILABLE,
        )
    return f"{len(status.loops)} running"


def _looked(name: str, look: Callable[[Settings], str], settings: Settings) -> DoctorCheck:
    try:
        return DoctorCheck(name, CheckStatus.OK, look(settings))
    except GantryError as error:
        return DoctorCheck(name, CheckStatus.FAIL, error.message, error.fix)


def _postgres(settings: Settings) -> str:
    from sqlalchemy import text

    from sql.engine import check_server, connect, database_urls

    engine = connect(database_urls(settings).owner, pool_size=1)
    try:
        check_server(engine)
        with engine.connect() as connection:
            return f"version {connection.execute(text('SHOW server_version')).scalar_one()}"
    finally:
        engine.dispose()


def _migrations(settings: Settings) -> str:
    from sql.engine import connect, database_urls
    from sql.migrate import current, head

    engine = connect(database_urls(settings).owner, pool_size=1)
    try:
        with engine.connect() as connection:
            found = current(connection)
    finally:
        engine.dispose()
    if found != head():
        raise GantryError(
            ErrorCode.DATABASE_UNAVAILABLE,
            f"the database is at {found or 'nothing'}, the code at {head()}",
            fix="Run `gantry down`, then `gantry up`, which migrates the database.",
            kind=Kind.UNAVAILABLE,
        )
    return f"at {found}"


def _bars(settings: Settings) -> str:
    from services.bars.load import list_months

    with connected(settings) as tx:
        months = list_months(tx)
    if not months:
        raise data_unavailable("there are no bars", fix="`gantry bars import FILE`")
    return f"{len(months)} symbol-months"


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
