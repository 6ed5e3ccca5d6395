"""When a process that died is started again: at once, then ever later, and from the start after a calm time."""

from dataclasses import dataclass

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
CALM_S = 60.0
GIVE_UP_AFTER = 3  # deaths before a process has answered for the first time


@dataclass(frozen=True, slots=True)
class Restart:
    """Pause before the next start, seconds, and how many deaths in a row led to it."""

    pause_s: float
    deaths: int


def next_restart(deaths: int, ran_s: float) -> Restart:
    """Return the pause after one more death, given the deaths in a row before and how long it ran, seconds."""
    in_a_row = 1 if ran_s >= CALM_S else deaths + 1
    return Restart(min(FIRST_PAUSE_S * 2 ** (in_a_row - 1), LONGEST_PAUSE_S), in_a_row)
