"""Runs of keys: one Dagster run covers a range of partitions, in the order in which they were added."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Keys from first to last, both inclusive, neighbours in the order of all keys."""

    keys: tuple[str, ...]

    @property
    def first(self) -> str:
        """Where it starts."""
        return self.keys[0]

    @property
    def last(self) -> str:
        """Where it ends."""
        return self.keys[-1]


def ranges(every: Sequence[str], wanted: Iterable[str], *, at_most: int) -> tuple[KeyRange, ...]:
    """Cover the wanted keys, and no others, with as few ranges of up to `at_most` neighbours as there can be.

    Keys that aren't in `every` are left out; order is that of `every`.
    """
    chosen = set(wanted)
    found: list[KeyRange] = []
    current: list[str] = []
    for key in every:
        if current and (key not in chosen or len(current) == at_most):
            found.append(KeyRange(tuple(current)))
            current = []
        if key in chosen:
            current.append(key)
    if current:
        found.append(KeyRange(tuple(current)))
    return tuple(found)
