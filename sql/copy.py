"""Binary COPY of trades and equity, packed by numpy: no Python object per row, one COPY for many sessions.

Format: PostgreSQL's documentation, "COPY", section "Binary Format"; NUMERIC as `numeric_recv` reads it. Ordinary
inserts of a bot of 3,557 trades take more than ten times as long: `bench.trade_writes`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from fleet.closed_sets import TradeSource
from trading.backtest.types import ExitReason, Trades
from trading.bars.schema import IntArray
from trading.metrics import DayPoint

Bytes = NDArray[np.uint8]
Column = tuple[str, str, IntArray | NDArray[np.int8] | NDArray[np.int32]]

COLUMNS: Final = (
    *("session_id", "bot_id", "epoch", "source"),
    *("seq", "side", "qty", "entry_at", "exit_at", "entry_ticks", "exit_ticks", "gross_pnl", "commission"),
    *("contract", "exit_reason"),
)
EQUITY_COLUMNS: Final = (
    *("session_id", "bot_id", "epoch", "source"),
    *("seq", "trading_day", "at", "equity_usd", "drawdown_usd"),
)
ROWS_PER_WRITE: Final = 300  # small enough that the server works on one write while the next is packed
POSTGRES_EPOCH_US: Final = 946_684_800_000_000  # 2000-01-01 UTC; timestamptz counts microseconds from there
POSTGRES_EPOCH_DAYS: Final = 10_957  # dates count days from there
_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_DIGITS: Final = 5  # base 10,000: four before the point hold NUMERIC(18,4)'s fourteen decimals, one after it
_REASONS: Final = tuple(reason.name if reason else "" for reason in (0, *ExitReason))
_NUMERIC: Final = [("n", ">i2"), ("weight", ">i2"), ("sign", ">u2"), ("scale", ">i2"), ("digits", ">i2", (_DIGITS,))]


@dataclass(frozen=True, slots=True, eq=False)
class TradesOf:
    """Round trips of one session: `contracts` are the names that `trades.contract` points into."""

    session_id: UUID
    bot_id: UUID
    source: TradeSource
    epoch: int
    trades: Trades
    contracts: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class EquityOf:
    """Equity of one session by trading day, in order."""

    session_id: UUID
    bot_id: UUID
    source: TradeSource
    epoch: int
    days: Sequence[DayPoint]


def copy_trades(session: Session, parts: Sequence[TradesOf]) -> int:
    """Write trades of some sessions on the session's own connection, in its transaction; return how many.

    seq counts from 0 in each of them. One COPY whatever the number of sessions; nothing is committed.

    Raises:
        ValueError: `trades.contract` or `trades.reason` points outside its names.

    """
    reasons = _texts(_REASONS)
    for part in parts:
        if len(part.trades):
            _check_inside(part.trades.contract, len(part.contracts), "contract")
            _check_inside(part.trades.reason, len(_REASONS), "reason")
    return _copy(session, "trade_logs", COLUMNS, (block for part in parts for block in _trade_blocks(part, reasons)))


def copy_equity(session: Session, parts: Sequence[EquityOf]) -> int:
    """Write equity of some sessions, likewise; return how many points."""
    return _copy(session, "bot_equity_curve", EQUITY_COLUMNS, (_equity_block(part) for part in parts if part.days))


def _copy(session: Session, table: str, columns: Sequence[str], blocks: Iterable[tuple[int, bytes]]) -> int:
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        msg = "rows are copied through psycopg"
        raise TypeError(msg)
    total = 0
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(_HEADER)
        for count, block in blocks:
            copy.write(block)
            total += count
        copy.write(_TRAILER)
    return total


def _trade_blocks(part: TradesOf, reasons: "_Texts") -> Iterator[tuple[int, bytes]]:
    trades = part.trades
    if not len(trades):
        return
    fixed, names = _fixed_part(part, len(COLUMNS)), _texts(part.contracts)
    for first in range(0, len(trades), ROWS_PER_WRITE):
        rows = slice(first, min(first + ROWS_PER_WRITE, len(trades)))
        contract, reason = names.of(trades.contract[rows]), reasons.of(trades.reason[rows])
        yield rows.stop - first, _join(fixed, _numbers(trades, rows), contract, reason)


def _equity_block(part: EquityOf) -> tuple[int, bytes]:
    days = part.days
    at = np.array([day.last_bar_ns for day in days], np.int64) // 1000 - POSTGRES_EPOCH_US
    dates = np.array([day.trading_day for day in days], "datetime64[D]").astype(np.int64) - POSTGRES_EPOCH_DAYS
    plain = [("seq", ">i4", np.arange(len(days))), ("trading_day", ">i4", dates), ("at", ">i8", at)]
    money = [(name, np.array([getattr(day, name) for day in days], np.int64)) for name in ("equity_e4", "drawdown_e4")]
    middle = _fields(len(days), plain, money)
    fixed = _fixed_part(part, len(EQUITY_COLUMNS))
    start = np.broadcast_to(np.frombuffer(fixed, np.uint8), (len(days), len(fixed)))
    return len(days), np.concatenate([start, middle], axis=1).tobytes()


class _Texts:
    """Texts as COPY fields (length, bytes), padded to one width, with the mask of what isn't padding."""

    def __init__(self, fields: Bytes, used: NDArray[np.bool_]) -> None:
        self.fields, self.used = fields, used

    def of(self, which: NDArray[np.int32] | NDArray[np.int8]) -> "_Texts":
        return _Texts(self.fields[which], self.used[which])


def _texts(texts: Sequence[str]) -> _Texts:
    encoded = [len(raw).to_bytes(4, "big") + raw for raw in (text.encode() for text in texts)]
    width = max(map(len, encoded))
    padded = np.frombuffer(b"".join(raw.ljust(width, b"\0") for raw in encoded), np.uint8).reshape(-1, width)
    lengths = np.array([len(raw) for raw in encoded])
    return _Texts(padded, np.arange(width) < lengths[:, None])


def _fixed_part(part: TradesOf | EquityOf, columns: int) -> bytes:
    """What starts every row: the count of fields, then those that all rows share."""
    shared = (part.session_id.bytes, part.bot_id.bytes, part.epoch.to_bytes(4, "big"), part.source.value.encode())
    return columns.to_bytes(2, "big") + b"".join(len(raw).to_bytes(4, "big") + raw for raw in shared)


def _numbers(trades: Trades, rows: slice) -> Bytes:
    """Fields of fixed width: uint8[n, width]."""
    columns: list[Column] = [
        ("seq", ">i4", np.arange(rows.start, rows.stop)),
        ("side", ">i2", trades.side[rows]),
        ("qty", ">i4", trades.qty[rows]),
        ("entry_at", ">i8", trades.entry_ns[rows] // 1000 - POSTGRES_EPOCH_US),
        ("exit_at", ">i8", trades.exit_ns[rows] // 1000 - POSTGRES_EPOCH_US),
        ("entry_ticks", ">i8", trades.entry_ticks[rows]),
        ("exit_ticks", ">i8", trades.exit_ticks[rows]),
    ]
    money = [("gross_pnl", trades.gross_e4[rows]), ("commission", trades.commission_e4[rows])]
    return _fields(rows.stop - rows.start, columns, money)


def _fields(size: int, columns: Sequence[Column], money: Sequence[tuple[str, IntArray]]) -> Bytes:
    """Pack columns, then amounts of money in ten-thousandths, each with its length before it: uint8[size, width]."""
    plain = [part for name, kind, _values in columns for part in ((f"{name}_length", ">i4"), (name, kind))]
    numeric = [part for name, _values in money for part in ((f"{name}_length", ">i4"), (name, _NUMERIC))]
    table = np.zeros(size, np.dtype([*plain, *numeric]))
    for name, kind, values in columns:
        table[f"{name}_length"] = np.dtype(kind).itemsize
        table[name] = values
    for name, amounts in money:
        table[f"{name}_length"] = np.dtype(_NUMERIC).itemsize
        _pack_numeric(table[name], amounts)
    return table.view(np.uint8).reshape(size, -1)


def _pack_numeric(target: NDArray[np.void], e4: IntArray) -> None:
    """Fill NUMERIC fields with ten-thousandths: the last base-10,000 digit is all that stands after the point."""
    target["n"], target["weight"], target["scale"] = _DIGITS, _DIGITS - 2, 4
    target["sign"] = np.where(e4 < 0, 0x4000, 0)
    rest = np.abs(e4)
    for position in range(_DIGITS - 1, -1, -1):
        target["digits"][:, position] = rest % 10_000
        rest //= 10_000


def _join(fixed: bytes, middle: Bytes, contract: _Texts, reason: _Texts) -> bytes:
    """Rows side by side, the padding of texts left out."""
    size = len(middle)
    start = np.broadcast_to(np.frombuffer(fixed, np.uint8), (size, len(fixed)))
    always = np.ones((size, len(fixed) + middle.shape[1]), np.bool_)
    table = np.concatenate([start, middle, contract.fields, reason.fields], axis=1)
    packed: Bytes = table[np.concatenate([always, contract.used, reason.used], axis=1)]
    return packed.tobytes()


def _check_inside(which: NDArray[np.int32] | NDArray[np.int8], count: int, name: str) -> None:
    if int(which.min()) < 0 or int(which.max()) >= count:
        msg = f"trades.{name} points outside its {count} names"
        raise ValueError(msg)
