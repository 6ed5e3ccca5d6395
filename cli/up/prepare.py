"""`python -m cli.up.prepare ANSWER`: make the database ready, then write what was found as JSON into ANSWER.

Migrations of Gantry and of Dagster's instance run here once, before several processes open the database; jobs whose
lease was lost with a killed worker are reaped; on a first start without any provider, bars are simulated.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Final

from core.clock import utc_now
from core.errors import GantryError
from core.settings import ROOT, Settings, get_settings

LIMITS: Final = re.compile(r"(max_concurrent_runs: )\d+(.*?key: gantry/worker\s+limit: )\d+", re.DOTALL)


def main() -> int:
    """Prepare, and report as JSON."""
    answer = Path(sys.argv[1])
    try:
        found = _prepare(get_settings())
    except GantryError as error:
        wrong = {"code": error.code, "message": error.message, "fix": error.fix, "kind": error.kind}
        _write(answer, {"error": wrong})
        return 1
    _write(answer, found)
    return 0


def _prepare(settings: Settings) -> dict[str, str]:
    from integrations.store import BarsStore
    from services.bars.first_start import ensure_data
    from services.jobs.reaper import reap_lost_leases
    from sql.engine import check_server, connect, database_urls, transactions
    from sql.migrate import upgrade

    urls = database_urls(settings)
    owner = connect(urls.owner)
    check_server(owner)
    owner.dispose()
    upgrade(urls.owner)
    prepare_dagster(settings.gantry_home, urls.dagster)
    engine = connect(urls.app)
    tx = transactions(engine)
    reap_lost_leases(tx, actor="gantry up")
    sentence = ensure_data(tx, BarsStore(str(settings.gantry_home / "bars")), settings, now=utc_now())
    engine.dispose()
    return {"dagster_url": urls.dagster, "sentence": sentence or ""}


def prepare_dagster(home: Path, url: str) -> None:
    """Put dagster.yaml into DAGSTER_HOME and bring Dagster's own tables up to date."""
    folder = home.absolute() / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    settings = get_settings()
    workers = settings.max_workers + settings.max_improve_running
    (folder / "dagster.yaml").write_text(instance_of((ROOT / "dagster.yaml").read_text(), workers))
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ["GANTRY_DAGSTER_URL"] = url
    from dagster import DagsterInstance

    with DagsterInstance.get() as instance:
        instance.upgrade()


def instance_of(shipped: str, workers: int) -> str:
    """Return the instance's file with room for that many workers at once, and for a run that a person starts.

    A worker that Dagster keeps waiting would count as never started.
    """
    made, count = LIMITS.subn(rf"\g<1>{workers + 1}\g<2>{workers}", shipped)
    if count != 1:
        raise AssertionError("dagster.yaml has no limits on runs and on gantry/worker, in this order")
    return made


def _write(answer: Path, found: object) -> None:
    descriptor = os.open(answer, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    raise SystemExit(main())
