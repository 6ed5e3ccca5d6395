"""`gantry logs`: what the processes of `gantry up` wrote, by process, time and level; -f goes on showing it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from cli.console import json_text, note, print_json, say
from cli.logs.files import Followed, chosen_names
from cli.logs.lines import LogLevel, LogLine
from cli.options import AsJson
from core.clock import utc_now
from core.errors import invalid

app = typer.Typer(add_completion=False)
PAUSE_S: Final = 0.25
_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Which lines are shown."""

    level: LogLevel
    since: datetime | None

    def holds(self, line: LogLine) -> bool:
        """Whether a line is shown."""
        return line.is_at_least(self.level) and (self.since is None or line.at >= self.since)


@app.command()
def logs(
    process: Annotated[
        list[str] | None, typer.Argument(metavar="[PROCESS]...", help="Only these, such as api; all without.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on showing new lines until Ctrl-C.")] = False,
    since: Annotated[
        str | None,
        typer.Option(help="Only lines since then: 30s, 10m, 2h, 1d ago, or a time such as 2026-11-28T09:30Z."),
    ] = None,
    level: Annotated[LogLevel, typer.Option(help="Only lines of this level or above.")] = LogLevel.DEBUG,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many, the newest ones.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Show what the processes of `gantry up` wrote, oldest first. With -f and --json, each line is one JSON object."""
    from cli.up.home import Home
    from core.settings import get_settings

    folder = Home(get_settings().gantry_home.absolute()).logs
    which = LineFilter(level, None if since is None else since_of(since, now=utc_now()))
    if lines < 0:
        raise invalid("--lines must be 0 or more.", fix="Correct it.", field="lines")
    names = chosen_names(folder, process or [])
    if not names and not follow:
        note(f"There are no logs in {folder} yet: `gantry up` writes them.")
    with Followed(folder, names, new_ones=not process) as follower:
        found = [line for line in follower.new_lines() if which.holds(line)]
        shown = found[len(found) - min(lines, len(found)) :]
        if follow:
            show(shown, as_json=as_json)
            follow_on(follower, which, as_json=as_json, pause=lambda: time.sleep(PAUSE_S))
            return
    if as_json:
        print_json([as_plain(line) for line in shown])
    else:
        show(shown, as_json=False)
    if len(shown) < len(found):
        note(f"Only the newest {len(shown):,} of {len(found):,} lines are shown; a larger --lines shows more.")


def follow_on(follower: Followed, which: LineFilter, *, as_json: bool, pause: Callable[[], None]) -> None:
    """Show new lines until Ctrl-C. pause: waits between two looks."""
    try:
        while True:
            pause()
            show([line for line in follower.new_lines() if which.holds(line)], as_json=as_json)
    except KeyboardInterrupt:
        return


def show(lines: Iterable[LogLine], *, as_json: bool) -> None:
    """Print lines, each with its process's name, or as one JSON object."""
    for line in lines:
        say(json_text(as_plain(line), indent=None) if as_json else f"{line.process:>14} | {line.text}")


def as_plain(line: LogLine) -> dict[str, object]:
    """Return a line as JSON-ready fields."""
    return {"process": line.process, "at": line.at, "level": line.level.value, "text": line.text}


def since_of(text: str, *, now: datetime) -> datetime:
    """Read how long ago, such as 10m, or a time; one without a zone is UTC.

    Raises:
        GantryError: VALIDATION_FAILED for any other text.

    """
    if match := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(
            f"--since {text!r} is neither a time nor a time ago.",
            fix="Use 30s, 10m, 2h or 1d, or a time such as 2026-11-28T09:30Z.",
            field="since",
        ) from None
    return instant.replace(tzinfo=instant.tzinfo or UTC)
