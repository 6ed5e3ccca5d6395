"""A line of a log has its own time and level, or those of the record that it belongs to."""

from datetime import UTC, datetime

import pytest

from cli.logs.lines import LineReader, LogLevel, first_time

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 28, 11, 35, 29, tzinfo=UTC)
READABLE = "2026-11-28T11:35:29.000000Z [{}] request    component=api status=200"
DAGSTER = "\x1b[32m2026-11-28 12:35:29 +0100\x1b[0m - dagster.daemon.SensorDaemon - \x1b[34m{}\x1b[0m - Checking"
JSON = '{{"event": "request", "level": "{}", "timestamp": "2026-11-28T11:35:29Z"}}'


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (READABLE.format("info     "), LogLevel.INFO),
        (READABLE.format("warning  "), LogLevel.WARNING),
        (READABLE.format("critical "), LogLevel.ERROR),
        (JSON.format("error"), LogLevel.ERROR),
        (JSON.format("debug"), LogLevel.DEBUG),
        (DAGSTER.format("INFO"), LogLevel.INFO),
        (DAGSTER.format("ERROR"), LogLevel.ERROR),
    ],
)
def test_a_record_in_each_way_of_writing_has_its_time_and_level(text: str, level: LogLevel) -> None:
    (line,) = LineReader("api", BEFORE).read([text])
    assert (line.at, line.level) == (AT, level)
    assert "\x1b" not in line.text
    assert first_time(["no record", text]) == AT


def test_a_line_of_uvicorn_has_a_level_and_the_time_before_it() -> None:
    first, second = LineReader("api", BEFORE).read(
        ["ERROR:    Exception in ASGI application", "INFO:     Shutting down"]
    )
    assert [(line.at, line.level) for line in (first, second)] == [(BEFORE, LogLevel.ERROR), (BEFORE, LogLevel.INFO)]


def test_a_traceback_belongs_to_the_record_before_it_and_is_an_error() -> None:
    lines = [
        READABLE.format("info     "),
        "Traceback (most recent call last):",
        "ValueError: x",
        DAGSTER.format("INFO"),
    ]
    read = list(LineReader("api", BEFORE).read(lines))
    assert [line.level.value for line in read] == ["info", "error", "error", "info"]
    assert {line.at for line in read} == {AT}


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', "2026-11-28T99:99:99Z [info ] x", "INFO: x", "\x00\xff"])
def test_what_is_no_record_is_a_line_all_the_same(text: str) -> None:
    (line,) = LineReader("api", BEFORE).read([text])
    assert (line.at, line.level, line.text) == (BEFORE, LogLevel.INFO, text)
