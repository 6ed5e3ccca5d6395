"""Run every benchmark, or those named, as in `python -m bench engine list_page`; without a name, all of `MODULES`."""

import importlib
import sys
from pathlib import Path

from bench.table import Row, print_table, write_json
from core.settings import get_settings

MODULES = (
    "engine",
    "bars_io",
    "trade_writes",
    "grading",
    "list_page",
    "planner",
    "fleet_reset",
    "fleet_checks",
    "overfit",
    "simulator",
    "overfit_sim",
)


def main(names: list[str]) -> int:
    """Run the named modules and answer 1 when a target was missed."""
    unknown = [name for name in names if name not in MODULES]
    if unknown:
        print(f"Unknown benchmark {', '.join(unknown)}. Fix: name some of {', '.join(MODULES)}.")
        return 2
    folder: Path = get_settings().gantry_home / "bench"
    missed = 0
    for name in names or MODULES:
        rows: list[Row] = importlib.import_module(f"bench.{name}").run()
        print_table(name, rows)
        write_json(rows, folder / f"{name}.json")
        missed += sum(row.met is False for row in rows)
    print(f"JSON in {folder}; {missed} target(s) missed.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
