"""Binary COPY of trades into trade_logs, packed by numpy: no Python object per row.

Format: PostgreSQL's documentation, "COPY", section "Binary Format"; NUMERIC as `numeric_recv` reads it. Ordinary
inserts of a bot of 3,557 trades take more than ten times as long: `bench.trade_writes`.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from fleet.closed_sets import TradeSource
from trading.backtest.types import ExitReason, Trades
from trading.bars.schema import IntArray

Bytes = NDArray[np.uint8]

COLUMNS: Final = (
    *("session_id", "bot_id", "epoch", "source"),
    *("seq", "side", "qty", "entry_at", "exit_at", "entry_ticks", "exit_ticks", "gross_pnl", "commission"),
    *("contract", "exit_reason"),
)
ROWS_PER_WRITE: Final = 600  # small enough that the server works on one write while the next is packed
POSTGRES_EPOCH_US: Final = 946_684_800_000_000  # 2000-01-01 UTC; timestamptz counts microseconds from there
_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_DIGITS: Final = 5  # base 10,000: four before the point hold NUMERIC(18,4)'s fourteen decimals, one after it
_REASONS: Final = tuple(reason.name if reason else "" for reason in (0, *ExitReason))
_NUMERIC: Final = [("n", ">i2"), ("weight", ">i2"), ("sign", ">u2"), ("scale", ">i2"), ("digits", ">i2", (_DIGITS,))]


def copy_trades(
    session: Session,
    *,
    session_id: UUID,
    bot_id: UUID,
    source: TradeSource,
    epoch: int,
    trades: Trades,
    contracts: Sequence[str],
) -> int:
    """Write N trades on the session's own connection, in its transaction; return N. seq counts from 0.

    Args:
        session: with an open transaction; nothing is committed.
        session_id: the backtest session the trades belong to.
        bot_id: its bot.
        source: where the trades come from.
        epoch: the source's epoch, copied at the claim.
        trades: N round trips.
        contracts: names that `trades.contract` points into.

    Raises:
        ValueError: `trades.contract` or `trades.reason` points outside its names.

    """
    total = len(trades)
    if total == 0:
        return 0
    fixed = _fixed_part(session_id, bot_id, source, epoch)
    contract_names, reason_names = _texts(contracts), _texts(_REASONS)
    _check_inside(trades.contract, len(contracts), "contract")
    _check_inside(trades.reason, len(_REASONS), "reason")
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        msg = "trades are copied through psycopg"
        raise TypeError(msg)
    statement = f"COPY trade_logs ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(_HEADER)
        for first in range(0, total, ROWS_PER_WRITE):
            rows = slice(first, min(first + ROWS_PER_WRITE, total))
            middle = _numbers(trades, rows)
            contract, reason = contract_names.of(trades.contract[rows]), reason_names.of(trades.reason[rows])
            copy.write(_join(fixed, middle, contract, reason))
        copy.write(_TRAILER)
    return total


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


def _fixed_part(session_id: UUID, bot_id: UUID, source: TradeSource, epoch: int) -> bytes:
    """What starts every row: the count of fields, then those that all rows share."""
    shared = (session_id.bytes, bot_id.bytes, epoch.to_bytes(4, "big"), source.value.encode())
    return len(COLUMNS).to_bytes(2, "big") + b"".join(len(raw).to_bytes(4, "big") + raw for raw in shared)


def _numbers(trades: Trades, rows: slice) -> Bytes:
    """Fields of fixed width: uint8[n, width]."""
    columns: list[tuple[str, str, IntArray | NDArray[np.int8] | NDArray[np.int32]]] = [
        ("seq", ">i4", np.arange(rows.start, rows.stop)),
        ("side", ">i2", trades.side[rows]),
        ("qty", ">i4", trades.qty[rows]),
        ("entry_at", ">i8", trades.entry_ns[rows] // 1000 - POSTGRES_EPOCH_US),
        ("exit_at", ">i8", trades.exit_ns[rows] // 1000 - POSTGRES_EPOCH_US),
        ("entry_ticks", ">i8", trades.entry_ticks[rows]),
        ("exit_ticks", ">i8", trades.exit_ticks[rows]),
    ]
    money = [("gross_pnl", trades.gross_e4[rows]), ("commission", trades.commission_e4[rows])]
    plain = [part for name, kind, _values in columns for part in ((f"{name}_length", ">i4"), (name, kind))]
    numeric = [part for name, _values in money for part in ((f"{name}_length", ">i4"), (name, _NUMERIC))]
    table = np.zeros(rows.stop - rows.start, np.dtype([*plain, *numeric]))
    for name, kind, values in columns:
        table[f"{name}_length"] = np.dtype(kind).itemsize
        table[name] = values
    for name, amounts in money:
        table[f"{name}_length"] = np.dtype(_NUMERIC).itemsize
        _pack_numeric(table[name], amounts)
    return table.view(np.uint8).reshape(len(table), -1)


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
