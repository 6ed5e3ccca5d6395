"""What one `gantry up` is about to run, settled before the first process starts."""

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from cli.up.home import Home
from cli.up.ports import choose_ports
from cli.up.services import Ports
from core.production import refuse_unsafe_production
from core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class StartPlan:
    """Data folder, ports, mark of the processes, and whether their lines go to the console."""

    home: Home
    ports: Ports
    mark: str
    echo: bool

    @property
    def workspace(self) -> Path:
        """Where Dagster's web server and daemon learn of the code server."""
        return ROOT / "workspace.yaml"


def make_plan(home: Home, settings: Settings, *, echo: bool) -> StartPlan:
    """Choose ports and a mark. Raises GantryError CONFLICT for a taken port, or for an unsafe production."""
    refuse_unsafe_production(settings)
    ports = choose_ports(settings.gantry_port, settings.gantry_dagster_port)
    return StartPlan(home, ports, f"{home.root}:{uuid.uuid4().hex}", echo)


def base_environment() -> dict[str, str]:
    """Return this process's environment without what would slow the others down."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
