"""The processes of `gantry up` besides Postgres: command, environment, how each one shows that it answers."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cli.up.home import Home

LOOPBACK = "127.0.0.1"


class Probe(StrEnum):
    """How a process shows that it answers."""

    HTTP = "http"  # a GET of `url` with status 200
    GRPC = "grpc"  # the standard health service, for DagsterApi
    HEARTBEAT = "heartbeat"  # the daemon's heartbeats in Dagster's storage


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of one `gantry up`."""

    api: int
    dagster: int
    code: int


@dataclass(frozen=True, slots=True)
class Service:
    """One supervised process. `ready_s` is how long its first answer may take, `stop_s` its orderly end."""

    name: str
    command: tuple[str, ...]
    probe: Probe
    address: str
    ready_s: float
    stop_s: float
    url: str | None = None
    port: int | None = None  # where it must listen itself; None: not asked
    environment: Mapping[str, str] = field(default_factory=dict)


def api_service(ports: Ports) -> Service:
    """The API and the screens."""
    base = f"http://localhost:{ports.api}"
    return Service(
        "api",
        (
            *(sys.executable, "-m", "uvicorn", "--factory", "api.app:create_app", "--host", LOOPBACK),
            *("--port", str(ports.api), "--no-access-log", "--no-server-header"),
            *("--timeout-graceful-shutdown", "5"),
        ),
        Probe.HTTP,
        f"http://{LOOPBACK}:{ports.api}/api/healthz",
        ready_s=60,
        stop_s=10,
        url=base,
        port=ports.api,
    )


def dagster_services(ports: Ports, workspace: Path) -> tuple[Service, ...]:
    """Dagster: one code server shared by the daemon and the web server, in order of starting."""
    code = (
        *(sys.executable, "-m", "dagster", "code-server", "start"),
        *("-m", "orchestration.definitions", "-h", LOOPBACK, "-p", str(ports.code)),
    )
    daemon = (sys.executable, "-m", "dagster._daemon", "run", "-w", str(workspace))
    web = (
        *(sys.executable, "-m", "dagster_webserver", "-h", LOOPBACK, "-p", str(ports.dagster)),
        *("-w", str(workspace), "--db-pool-recycle", "300"),
    )
    page = f"http://{LOOPBACK}:{ports.dagster}/server_info"
    url = f"http://localhost:{ports.dagster}"
    return (
        Service("dagster-code", code, Probe.GRPC, f"{LOOPBACK}:{ports.code}", ready_s=90, stop_s=8),
        Service("dagster-daemon", daemon, Probe.HEARTBEAT, "", ready_s=90, stop_s=8),
        Service(
            "dagster-web",
            web,
            Probe.HTTP,
            page,
            ready_s=120,
            stop_s=5,
            url=url,
            port=ports.dagster,
        ),
    )


def shared_environment(home: Home, ports: Ports, *, mark: str, dagster_url: str) -> dict[str, str]:
    """Return what every process gets on top of the environment of `gantry up`."""
    return {
        "GANTRY_HOME": str(home.root),
        "GANTRY_PORT": str(ports.api),
        "GANTRY_DAGSTER_PORT": str(ports.dagster),
        "GANTRY_CODE_HOST": LOOPBACK,
        "GANTRY_CODE_PORT": str(ports.code),
        "GANTRY_DAGSTER_URL": dagster_url,
        "GANTRY_UP": mark,
        "DAGSTER_HOME": str(home.dagster),
        "PYTHONUNBUFFERED": "1",
    }
