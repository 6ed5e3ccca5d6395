"""Loopback ports: whether one is free, whether something answers there, and a free one."""

import socket
from typing import Final

from cli.up.services import LOOPBACK, Ports
from core.errors import ErrorCode, GantryError, Kind, not_found

ANSWER_TIMEOUT_S: Final = 2.0


def require_answer(port: int) -> None:
    """Raise GantryError NOT_FOUND when nothing takes a connection on the port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=ANSWER_TIMEOUT_S).close()
    except OSError as error:
        raise not_found("process that answers on port", port, fix="Check `gantry status`.") from error


def require_free(port: int, *, variable: str) -> None:
    """Raise GantryError CONFLICT when something listens on the port, naming the variable that moves it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise GantryError(
                ErrorCode.CONFLICT,
                f"Port {port} can't be used: {error.strerror}.",
                fix=f"Stop the program that listens there, or set {variable} to another port.",
                kind=Kind.CONFLICT,
                facts={"port": port},
            ) from error


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def choose_ports(api: int, dagster: int) -> Ports:
    """Return the ports to use.

    Raises GantryError CONFLICT for a taken port, VALIDATION_FAILED when both are the same.
    """
    if api == dagster:
        raise GantryError(
            ErrorCode.VALIDATION_FAILED,
            f"GANTRY_PORT and GANTRY_DAGSTER_PORT are both {api}.",
            fix="Set them to two different ports.",
        )
    require_free(api, variable="GANTRY_PORT")
    require_free(dagster, variable="GANTRY_DAGSTER_PORT")
    return Ports(api, dagster, free_port())
