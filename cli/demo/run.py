"""The steps of `gantry demo`, each through the flow that the API, Dagster and the other commands use."""

from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cli.demo.bots import demo_bots
from cli.demo.home import DemoHome
from cli.progress import Shown, bars_of, progress_bars
from core.clock import utc_now
from core.words import counted
from fleet.closed_sets import DataLabel
from fleet.grading_bars import MIN_SESSIONS
from services.backtests.lineage import Lineage, lineage_of_score
from services.bars.caveats import in_holes, used_though_few
from services.bars.files.import_file import ImportReport, import_file
from services.bars.simulate import simulate_months
from services.bars.verdicts.gaps import gap_report
from services.bots.create import NewBot, create_bot
from services.bots.read import BotView, best_first, get_bot
from services.jobs.terms import GradeTerms
from trading.instruments import get_instrument
from trading.months import full_months_before
from trading.strategies.registry import STRATEGIES

ACTOR = "gantry demo"
SIMULATED_SYMBOL = "ES"
SIMULATED_MONTHS = 3
SEED = 7
_TERMS = GradeTerms(min_sessions=1)  # a file that is named is used, however short it is


@dataclass(frozen=True, slots=True)
class BarsFile:
    """A file of bars and the options given for it."""

    path: Path
    symbol: str | None
    tz: str | None
    epoch_tz: str | None
    stamp: str
    hours: str
    provider: str


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """What a demo ended with: the bots, best first, the chain behind the best one's score, and how many failed."""

    bars: str
    label: DataLabel
    bots: tuple[BotView, ...]
    chain: Lineage | None
    run_ids: tuple[str, ...]
    failed: int


@dataclass(frozen=True, slots=True)
class _Bars:
    """Bars the bots are graded on: their symbol, their label, one sentence about them, and what to know of them."""

    symbol: str
    label: DataLabel
    sentence: str
    warnings: tuple[str, ...] = ()


def run_demo(home: DemoHome, file: BarsFile | None, *, symbol: str | None) -> DemoOutcome:
    """Bring bars in, make the bots, materialize them through Dagster's assets, and read everything back.

    Raises:
        GantryError: the file's or the symbol's fault; nothing was graded then.

    """
    with progress_bars() as progress:
        shown = bars_of(progress)
        bars = _import(home, file, shown) if file else _simulate(home, symbol or SIMULATED_SYMBOL, shown)
        for line in (bars.sentence, *bars.warnings):
            progress.console.print(line)
        bot_ids = _create(home, bars.symbol)
        grading = progress.add_task("Grading", total=len(bot_ids))
        from assets.materialize import materialize_bots

        with (home.folder / "logs" / "dagster.log").open("a") as log, redirect_stderr(log):
            done = materialize_bots(
                bot_ids,
                tx=home.tx,
                store=home.store,
                actor=ACTOR,
                on_graded=lambda _bot: progress.advance(grading),
                terms=_TERMS,
            )
    return _read(home, bars, bot_ids, done.run_ids)


def _import(home: DemoHome, file: BarsFile, shown: Shown) -> _Bars:
    report = import_file(
        home.tx,
        home.store,
        file.path,
        symbol=file.symbol,
        provider=file.provider,
        tz=file.tz,
        epoch_tz=file.epoch_tz,
        stamp=file.stamp,
        hours=file.hours,
        replace=False,
        actor=ACTOR,
        now=utc_now(),
        progress=shown,
        min_sessions=_TERMS.min_sessions,
    )
    symbol = min(month.symbol for month in report.months)
    months = ", ".join(f"{month.symbol} {month.month} {month.quality}" for month in report.months)
    sentence = f"Imported {counted(report.bars_count, 'bar')} of {file.path.name}: {months}."
    return _Bars(symbol, DataLabel.IMPORTED, sentence, (*report.notes, *_warnings(home, symbol, report)))


def _warnings(home: DemoHome, symbol: str, report: ImportReport) -> Iterator[str]:
    for month in report.months:
        if month.symbol == symbol and month.complaint:
            yield f"{month.symbol} {month.month}: {month.complaint}"
    for one in gap_report(home.tx, utc_now(), symbol=symbol):
        if one.holes:
            yield in_holes(one.holes)
    few = used_though_few(home.tx, symbol, MIN_SESSIONS)
    yield from () if few is None else (few,)


def _simulate(home: DemoHome, symbol: str, shown: Shown) -> _Bars:
    get_instrument(symbol)
    now = utc_now()
    months = full_months_before(now, SIMULATED_MONTHS)
    simulate_months(home.tx, home.store, [symbol], months, seed=SEED, actor=ACTOR, now=now, progress=shown)
    return _Bars(
        symbol,
        DataLabel.SIMULATED,
        f"No bar file given: {symbol} {months[0]} to {months[-1]} are SIMULATED (seed {SEED}).",
    )


def _create(home: DemoHome, symbol: str) -> tuple[UUID, ...]:
    now = utc_now()
    suffix = now.strftime(" %H:%M:%S") if home.kept else ""  # names are unique, and an earlier demo's bots are there
    with home.tx() as session:
        return tuple(
            create_bot(
                session,
                NewBot(name=bot.name + suffix, symbol=symbol, strategy=bot.strategy, params=bot.params),
                actor=ACTOR,
                now=now,
            )
            for bot in demo_bots(STRATEGIES, symbol)
        )


def _read(home: DemoHome, bars: _Bars, bot_ids: Sequence[UUID], run_ids: tuple[str, ...]) -> DemoOutcome:
    with home.tx() as session:
        ranked = best_first(get_bot(session, bot_id, now=utc_now()) for bot_id in bot_ids)
        best = next((view for view in ranked if view.session_id is not None), None)
        chain = lineage_of_score(session, best.id) if best else None
    failed = sum(view.session_id is None for view in ranked)
    return DemoOutcome(bars.sentence, bars.label, tuple(ranked), chain, run_ids, failed)
