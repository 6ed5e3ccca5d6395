"""A file's backtest as the JSON document that is written: everything the numbers rest on, money and prices as texts."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from services.bars.files.read_file import JudgedMonth
from trading.backtest.findings import GUARDS, Finding, as_json
from trading.backtest.types import E4, BacktestResult, Costs, ExitReason, OpenPosition
from trading.bars.quality_types import MonthVerdict
from trading.bars.schema import Bars
from trading.digits import exact_usd_text
from trading.instruments import Instrument
from trading.metrics import Metrics

SKIPPED: Final = "skipped"  # what stands for the guards' outcomes where nobody asked them
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SEVERITY: Final = (MonthVerdict.OK, MonthVerdict.WARN, MonthVerdict.BLOCKED)


def window_of(bars: Bars, result: BacktestResult) -> dict[str, object]:
    """Return the first and last bar traded (opens, UTC), and how many bars and sessions there are."""
    return {
        "first_bar": at_text(int(bars.ts[0])),
        "last_bar": at_text(int(bars.ts[-1])),
        "bars": len(bars),
        "sessions": len(np.unique(result.session)),
    }


def costs_of(costs: Costs) -> dict[str, object]:
    """Return what each fill costs."""
    return {
        "slippage_ticks": costs.slippage_ticks,
        "commission_usd": exact_usd_text(costs.commission_usd),
        "contracts": costs.contracts,
    }


def metrics_of(figures: Metrics) -> dict[str, object]:
    """Return every figure of the result under its own name."""
    values = {spec.name: getattr(figures, spec.name) for spec in fields(figures)}
    return {name: exact_usd_text(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def quality_of(months: Sequence[JudgedMonth]) -> dict[str, object]:
    """Return the worst verdict, and each month's with its problems in sentences."""
    return {
        "verdict": max((month.quality.verdict for month in months), key=_SEVERITY.index),
        "months": [
            {
                "month": month.month,
                "bars": month.bars_count,
                "verdict": month.quality.verdict,
                "coverage": round(month.quality.coverage, 6),
                "problems": [problem.message for problem in month.quality.problems],
            }
            for month in months
        ],
    }


def guards_of(findings: Sequence[Finding]) -> dict[str, object] | str:
    """Return each guard's outcome and finding by name; SKIPPED where none was asked."""
    return _with_outcome([one for one in findings if one.name in GUARDS]) or SKIPPED


def analyzers_of(findings: Sequence[Finding]) -> dict[str, object]:
    """Return each analyzer's outcome and finding by name."""
    return _with_outcome([one for one in findings if one.name not in GUARDS])


def _with_outcome(findings: Sequence[Finding]) -> dict[str, object]:
    plain: Mapping[str, Mapping[str, object]] = as_json(findings)
    return {one.name.value: {"outcome": one.outcome.value, **plain[one.name.value]} for one in findings}


def trades_of(result: BacktestResult, instrument: Instrument) -> list[dict[str, object]]:
    """Return every trade, in order of its exit."""
    trades = result.trades
    columns = (
        trades.side,
        trades.qty,
        trades.entry_ns,
        trades.entry_ticks,
        trades.exit_ns,
        trades.exit_ticks,
        trades.gross_e4,
        trades.commission_e4,
        trades.net_e4,
        trades.reason,
    )
    return [
        {
            "side": _side(side),
            "qty": qty,
            "entry_at": at_text(entry_ns),
            "entry_price": _price(entry, instrument),
            "exit_at": at_text(exit_ns),
            "exit_price": _price(leave, instrument),
            "gross_pnl": _money_e4(gross),
            "commission": _money_e4(commission),
            "net_pnl": _money_e4(net),
            "exit_reason": ExitReason(reason).name,
        }
        for side, qty, entry_ns, entry, exit_ns, leave, gross, commission, net, reason in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def open_position_of(held: OpenPosition | None, instrument: Instrument) -> dict[str, object] | None:
    """Return the position that is open at the last bar, which counts as no trade; None without one."""
    if held is None:
        return None
    return {
        "side": _side(held.side),
        "qty": held.qty,
        "entry_at": at_text(held.entry_ns),
        "entry_price": _price(held.entry_ticks, instrument),
        "contract": held.contract,
        "unrealized_pnl": _money_e4(held.unrealized_e4),
    }


def _side(side: int) -> str:
    return "LONG" if side > 0 else "SHORT"


def at_text(ns: int) -> str:
    """Return ns since 1970 as RFC 3339, UTC."""
    return (_EPOCH + timedelta(microseconds=ns // 1000)).isoformat().replace("+00:00", "Z")


def _price(ticks: int, instrument: Instrument) -> str:
    return format(ticks * instrument.tick_size, "f")


def _money_e4(amount_e4: int) -> str:
    return exact_usd_text(Decimal(amount_e4) / E4)
