"""`gantry bars import --dry-run`: what would be understood of a file, and the verdict on its bars."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.console import note, print_json, say
from cli.options import HOURS_IN_WORDS, Covered
from core.words import counted

if TYPE_CHECKING:
    from integrations.files.types import ReadOptions
    from services.bars.files.dry_run import ShownBar, Understood, UnderstoodBars


def show_understood(path: Path, options: "ReadOptions", *, as_json: bool) -> None:
    """Print what an import would read from a file. Exit code 1 if it would be refused."""
    from core.clock import utc_now
    from services.bars.files.dry_run import understand_file

    found = understand_file(path, options, utc_now())
    if as_json:
        print_json({**asdict(found), "blocked": found.blocked})
    else:
        for line in _lines(found):
            say(line)
    if found.blocked:
        note("An import would refuse this file.")
        raise typer.Exit(1)


def _lines(found: "Understood") -> Iterator[str]:
    details = found.details
    yield f"File       {found.source_name}, {details.get('format')}{_layout(details)}"
    columns = details.get("columns")
    if isinstance(columns, Mapping):
        yield f"Columns    {', '.join(f'{role} from {name!r}' for role, name in columns.items())}"
    yield f"Times      {_times(details)}"
    yield f"Timeframe  {found.timeframe}"
    yield f"Hours      {HOURS_IN_WORDS[Covered(found.hours.value)]}"
    for one in found.symbols:
        yield from _of_symbol(one)
    yield from found.notes
    yield "Nothing was written."


def _layout(details: Mapping[str, object]) -> str:
    names = {";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars"}
    delimiter, numbers = details.get("delimiter"), details.get("numbers")
    parts = [f"{names[str(delimiter)]} between values"] if delimiter else []
    parts += ["no header line"] if details.get("header") == "none" else []
    parts += ["newest first"] if details.get("order") == "newest first" else []
    parts += [str(numbers)] if numbers else []
    return "".join(f", {part}" for part in parts)


def _times(details: Mapping[str, object]) -> str:
    clock, zone = details.get("clock"), details.get("tz")
    what = {
        "named": f"in {zone}, as the file states",
        "none": f"without a zone, read as {zone}",
        "count": f"counts since 1970, made from a clock in {zone}",
    }.get(str(clock), "in UTC or with an offset, as the file states")
    return f"{what}; each names its bar's {details.get('stamp')}"


def _of_symbol(one: "UnderstoodBars") -> Iterator[str]:
    contracts = ", ".join(name for name in one.contracts if name) or "not named"
    yield f"{one.symbol}: {counted(one.bars_count, 'bar')}, contracts {contracts}"
    yield from _rows("first", one.first)
    yield from _rows("last", one.last)
    for month in one.months:
        reported = "" if month.quality.verdict == "OK" else f" {month.quality.sentence()}"
        yield f"  {month.month}: {counted(month.bars_count, 'bar')}, {month.quality.verdict}.{reported}"
    yield f"  Verdict: {one.verdict}{f'. {one.problem} Fix: {one.fix}' if one.problem else ''}"


def _rows(which: str, bars: Sequence["ShownBar"]) -> Iterator[str]:
    for bar in bars:
        prices = f"open {bar.open:.10g} high {bar.high:.10g} low {bar.low:.10g} close {bar.close:.10g}"
        yield f"  {which:5} {bar.opened_at} {prices} volume {bar.volume:,} {bar.contract}".rstrip()
