"""How `gantry backtest` shows a result on the console."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cli.costs_shown import costs_text
from cli.options import SIMULATED_IN_WORDS
from core.words import counted
from fleet.closed_sets import DataLabel
from services.backtests.file_result import SKIPPED
from services.backtests.from_file import FileBacktestReport
from trading.backtest.findings import CheckOutcome

_RULE: Final = "!" * 72
UNGUARDED: Final = f"""
{_RULE}
!!  NO GUARDS: nobody checked whether this strategy reads the future.
!!  These figures prove nothing. Run it again without --no-guards.
{_RULE}"""


def lines(report: FileBacktestReport) -> Iterator[str]:
    """Yield what was run, on what, what the checks say, and last the figures."""
    shown: Mapping[str, Any] = report.payload
    costs, window, quality = shown["costs"], shown["window"], shown["quality"]
    params = " ".join(f"{name}={value}" for name, value in shown["params"].items())
    yield f"{shown['strategy']} {params} on {shown['symbol']} {shown['timeframe']}"
    yield (
        f"  bars      {window['bars']:,}, sessions {window['sessions']:,}, {window['first_bar']} to "
        f"{window['last_bar']}; {shown['data_label']}, hours {shown['hours']}"
    )
    yield (f"  costs     {costs_text(costs)}; capital {shown['capital']} USD")
    yield f"  quality   {quality['verdict']}"
    for month in quality["months"]:
        for problem in month["problems"]:
            yield f"            {month['month']}: {problem}"
    yield from _outcomes("guards", shown["guards"])
    yield from _outcomes("analyzers", shown["analyzers"])
    yield f"  code      {shown['code_version']}, {shown['engine_version']} ({shown['engine']})"
    yield from report.notes
    if shown["data_label"] == DataLabel.SIMULATED:
        yield SIMULATED_IN_WORDS
    held = f", open P&L {report.open_pnl} USD" if shown["open_position"] else ""
    trades = counted(report.trades, "trade")
    yield f"{trades}, net P&L {report.net_pnl} USD{held}, max drawdown {report.max_drawdown} USD"


def _outcomes(name: str, found: Mapping[str, Mapping[str, object]] | str) -> Iterator[str]:
    """One line, and one more for each check that didn't pass."""
    if isinstance(found, str):
        yield f"  {name:9} {SKIPPED.upper()}"
        return
    passed = [check for check, part in found.items() if part["outcome"] == CheckOutcome.PASSED]
    yield f"  {name:9} {', '.join(passed) or 'none'} passed"
    for check, part in found.items():
        if check not in passed:
            yield f"            {check} {part['outcome']}: {part['message']}"
