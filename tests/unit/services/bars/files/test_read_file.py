"""What a message tells a user to give is taken, or leads to another message; no two send the user to each other."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from core.errors import GantryError
from tests.factories.reading_files import same_bars, taken
from tests.factories.report_files import NEW_YORK, SESSIONS, day_session
from tests.factories.written_bars import Way, bars_of_walk, file_of
from trading.bars.months import concatenate
from trading.bars.schema import Bars

OPTION = re.compile(r"--(symbol|tz|epoch-tz|stamp|hours)(?: ([A-Za-z0-9_/+-]+))?")
DAY = day_session(SESSIONS)
YEAR = concatenate([SESSIONS, bars_of_walk("ES", "2024-07-08T22:00", 3 * 1380)])
# What a user may say of any file, right or wrong.
OPTIONS: tuple[dict[str, Any], ...] = (
    *({"tz": zone} for zone in ("UTC", NEW_YORK, "Etc/GMT+5")),
    *({"epoch_tz": zone} for zone in ("UTC", "America/Chicago")),
    *({}, {"stamp": "close"}, {"hours": "rth"}, {"tz": "UTC", "stamp": "close"}, {"symbol": None}),
    *({"tz": NEW_YORK, "hours": "rth"}, {"tz": NEW_YORK, "epoch_tz": NEW_YORK}),
    {"epoch_tz": "America/Chicago", "stamp": "close", "hours": "rth"},
)
FILES: dict[str, tuple[Bars, Way]] = {
    "in UTC": (SESSIONS, Way()),
    "a clock of New York": (SESSIONS, Way(zone=NEW_YORK, offset="")),
    "a clock of Chicago, at the close": (SESSIONS, Way(zone="America/Chicago", offset="", stamp="close")),
    "a clock of UTC without saying so": (SESSIONS, Way(offset="")),
    "counts": (SESSIONS, Way(counts="s")),
    "counts of a clock of New York": (SESSIONS, Way(counts="ms", zone=NEW_YORK)),
    "counts of a clock of Chicago, at the close": (SESSIONS, Way(counts="s", zone="America/Chicago", stamp="close")),
    "the day session": (DAY, Way()),
    "the day session, at the close": (DAY, Way(stamp="close")),
    "the day session by a clock of New York": (DAY, Way(zone=NEW_YORK, offset="")),
    "the day session in counts of a clock of New York": (DAY, Way(counts="s", zone=NEW_YORK)),
    "a clock of New York, in winter and in summer": (YEAR, Way(zone=NEW_YORK, offset="")),
    "a clock that is New York's in winter, all year": (YEAR, Way(zone="Etc/GMT+5", offset="")),
    "a clock of Chicago that the stamps name, at the close": (
        SESSIONS,
        Way(zone="America/Chicago", offset=" US/Central", stamp="close"),
    ),
    "with names of contracts": (SESSIONS, Way(symbol="CME_MINI:ES1!")),
}


@pytest.mark.parametrize("message", OPTIONS, ids=str)
@pytest.mark.parametrize("name", FILES)
def test_following_each_message_ends_in_the_files_own_bars(tmp_path: Path, name: str, message: dict[str, Any]) -> None:
    follow(tmp_path / "bars.csv", name, {"symbol": "ES", **message})


def test_another_symbol_than_the_files_leads_to_its_own(tmp_path: Path) -> None:
    follow(tmp_path / "bars.csv", "with names of contracts", {"symbol": "CL"})


def follow(path: Path, name: str, options: dict[str, Any]) -> None:
    """Do what each message says until the file is taken, with the bars it was made of."""
    bars, content = FILES[name][0], content_of(name)
    seen: list[dict[str, Any]] = []
    while options not in seen:
        seen.append(options)
        try:
            found = taken(path, content, **options)
        except GantryError as error:
            options = followed(options, error.fix)
        else:
            assert same_bars(found.bars, bars), seen
            return
    pytest.fail(f"the messages go in a circle: {seen}")


def test_an_offset_that_is_wrong_in_the_file_is_named_and_no_option_is_offered_against_it(tmp_path: Path) -> None:
    content = file_of(SESSIONS, Way(zone=NEW_YORK, offset="Z"))
    with pytest.raises(GantryError) as caught:
        taken(tmp_path / "bars.csv", content, symbol="ES")
    assert "read as times of a clock in America/New_York" in caught.value.message
    assert "The offset that the file states is wrong" in caught.value.message
    assert caught.value.fix.startswith("Export the times in UTC; or without an offset, and give --tz America/New_York")


def test_a_clock_that_no_zone_keeps_is_refused_without_an_option(tmp_path: Path) -> None:
    content = file_of(SESSIONS, Way(counts="s", zone="Pacific/Chatham"))
    for options in ({}, {"epoch_tz": "UTC"}, {"epoch_tz": "Pacific/Marquesas"}):
        with pytest.raises(GantryError) as caught:
            taken(tmp_path / "bars.csv", content, symbol="ES", **options)
        assert "The bars fit none of the time zones that were tried" in caught.value.message
        assert caught.value.fix == "Export the bars with times in UTC, at each bar's open, and check --symbol."


@cache
def content_of(name: str) -> bytes:
    """Return the file."""
    return file_of(*FILES[name])


def followed(options: dict[str, Any], fix: str) -> dict[str, Any]:
    """Return what a user says next: what a message tells to give, without what it tells to leave away."""
    return {**options, **dict(_changes(fix))}


def _changes(fix: str) -> Iterator[tuple[str, Any]]:
    for part in re.split(r"[;,.] | and ", fix):
        for name, value in OPTION.findall(part):
            if "eave" in part:
                yield name.replace("-", "_"), {"stamp": "open", "hours": "all"}.get(name)
            elif value:
                yield name.replace("-", "_"), value
