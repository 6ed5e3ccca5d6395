"""Refusals of a file's bars with the likely reason: the zone, the stamp and the hours under which they would fit.

The message names the options that state that reading, those that change least.
"""

from typing import Final

from core.errors import GantryError, bad_data, invalid
from integrations.files.readings import Reading, clock_of, fits_as_stated, fitting, only_day, outside_day, stated
from integrations.files.times import Clock
from integrations.files.types import FileBars
from trading.bars.quality import ProblemCode
from trading.day_session import Hours, day_hours
from trading.instruments import get_instrument

_OF_STAMPS: Final = {ProblemCode.MIS_STAMPED.value, ProblemCode.MINUTES_MISSING.value}


def refuse_other_hours(one: FileBars) -> None:
    """Refuse bars of the day session alone that aren't stated to be, and others that are.

    Raises:
        GantryError: DATA_QUALITY_FAILED with the likely reason.

    """
    if one.hours is Hours.ALL and only_day(one.bars):
        hours = day_hours(get_instrument(one.bars.symbol))
        raise bad_data(
            f"{one.source_name} holds bars of {one.bars.symbol}'s day session alone, {hours}.",
            fix="Give --hours rth, or export whole sessions.",
        )
    if one.hours is Hours.RTH and (what := outside_day(one.bars)):
        found = _likeliest(one)
        raise bad_data(
            f"{one.source_name}: {what}.{'' if found is None else _because(one, found)}",
            fix="Leave --hours rth away." if found is None else _fix(one, found),
        )


def explained(one: FileBars, error: GantryError) -> GantryError:
    """Return the refusal of a file's bars with the likely reason, where its times are one.

    error: as `trading.bars.quality.require_fit` raises it; any other comes back as it is.
    """
    named = error.facts.get("problems")
    problems = set(named) & _OF_STAMPS if isinstance(named, list) else set()
    if not problems:
        return error
    message = f"{one.source_name}: {error.message}"
    found = None if fits_as_stated(one) else _likeliest(one)
    if found is not None:
        return bad_data(f"{message}{_because(one, found)}", fix=_fix(one, found), facts=error.facts)
    if ProblemCode.MIS_STAMPED.value in problems:
        fix = "Export the bars with times in UTC, at each bar's open, and check --symbol."
        return bad_data(f"{message} The bars fit none of the time zones that were tried.", fix=fix, facts=error.facts)
    return error


def with_likely_zone(error: GantryError, as_utc: FileBars) -> GantryError:
    """Return the refusal of times without a zone with the zone that they fit in, if there is only one.

    as_utc: the file's bars, read as if their times were UTC.
    """
    found = list(fitting(as_utc))
    if len({times for _, times in found}) != 1:
        return error
    reading, now = found[0][0], stated(as_utc)
    parts = [f"times of a clock in {reading.zone}", *_unlike(now, reading)]
    options = [f"--tz {reading.zone}", *_options(now, reading)]
    return invalid(f"{error.message}{_read_as(parts)}", fix=f"Give {' '.join(options)}.", field="tz")


def _likeliest(one: FileBars) -> Reading | None:
    return next((reading for reading, _ in fitting(one) if reading.changes(stated(one))), None)


def _because(one: FileBars, found: Reading) -> str:
    now = stated(one)
    zone = [f"times of a clock in {found.zone}"] if found.zone != now.zone else []
    wrong = f" The {_statement(one).split()[1]} that the file states is wrong then." if _contradicts(one, found) else ""
    return f"{_read_as([*zone, *_unlike(now, found)])}{wrong}"


def _read_as(parts: list[str]) -> str:
    return f" The bars fit the exchange's sessions if they are read as {' and '.join(parts)}."


def _unlike(now: Reading, found: Reading) -> list[str]:
    stamp = [f"stamps of each bar's {found.stamp.value}"] if found.stamp is not now.stamp else []
    hours = "bars of the day session alone" if found.hours is Hours.RTH else "bars of whole sessions"
    return [*stamp, *([hours] if found.hours is not now.hours else [])]


def _options(now: Reading, found: Reading) -> list[str]:
    """What states a reading's stamp and hours, where they differ; hours that are left away aren't among them."""
    stamp = [f"--stamp {found.stamp.value}"] if found.stamp is not now.stamp else []
    return [*stamp, *(["--hours rth"] if found.hours is Hours.RTH and now.hours is Hours.ALL else [])]


def _fix(one: FileBars, found: Reading) -> str:
    """The options that turn the stated reading into the one found."""
    now, counts = stated(one), clock_of(one) is Clock.COUNT
    give, leave = _options(now, found), []
    if found.zone != now.zone and counts and found.zone == "UTC":
        leave.append("--epoch-tz")
    elif found.zone != now.zone:
        give.insert(0, f"{'--epoch-tz' if counts else '--tz'} {found.zone}")
    if found.hours is Hours.ALL and now.hours is Hours.RTH:
        leave.append("--hours rth")
    parts = [*([f"give {' '.join(give)}"] if give else []), *(f"leave {option} away" for option in leave)]
    text = " and ".join(parts)
    if _contradicts(one, found):
        return f"Export the times in UTC; or without {_statement(one)}, and {text}."
    return f"{text[0].upper()}{text[1:]}."


def _contradicts(one: FileBars, found: Reading) -> bool:
    """Whether the file itself states another zone, which no option overrules."""
    return clock_of(one) in (Clock.OFFSET, Clock.NAMED) and found.zone != stated(one).zone


def _statement(one: FileBars) -> str:
    """What states the zone in the file."""
    return "a zone" if clock_of(one) is Clock.NAMED else "an offset"
