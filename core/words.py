"""Counts in sentences."""


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: "1 session", "1,200 sessions". many: the plural, where it isn't one with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
