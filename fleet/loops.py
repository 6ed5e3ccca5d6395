"""Loops that must go round for the fleet to be looked after: their names, and how often each is due."""

from collections.abc import Mapping
from enum import StrEnum


class LoopState(StrEnum):
    """How a loop stands, each worse than the one before: FAILING is that its last round raised."""

    OK = "OK"
    FAILING = "FAILING"
    STOPPED = "STOPPED"
    NEVER = "NEVER"


def loops(tick_s: float) -> Mapping[str, float]:
    """Return seconds between two rounds by loop; tick_s: the planner's."""
    return {
        "autonomy_tick": tick_s,
        "stage_change": 2.0,
        "metrics_reset": 2.0,
        "workers_alive": 2.0,
        "bot_partitions": 2.0,
        "bars_months": 10.0,
        "fleet_checks": 10.0,
    }
