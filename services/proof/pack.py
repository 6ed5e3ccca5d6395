"""The database's part of the proof pack: the statements of the contract with their rows, invariants, versions."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.errors import GantryError
from services.code_version import code_version
from services.proof.invariants import check_invariants, invariant_lines
from sql.engine import Transactions
from sql.queries.proof import pack as queries
from sql.queries.proof.pack import Statement, StatementRows

NO_BOT: Final = UUID(int=0)
PACKAGES: Final = ("dagster", "vectorbt", "numba", "numpy", "pandas", "pyarrow", "sqlalchemy", "psycopg", "fastapi")


class PieceOutcome(StrEnum):
    """How a piece of proof came out; NOT_AVAILABLE: what it asks for isn't built yet, and says so."""

    OK = "OK"
    NOT_AVAILABLE = "NOT_AVAILABLE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of the pack. message: why it isn't OK."""

    file: str
    proves: str
    text: str
    outcome: PieceOutcome = PieceOutcome.OK
    message: str = ""


def database_pieces(tx: Transactions, *, bots: int) -> Iterator[Piece]:
    """Yield each piece (a flow that only reads); one that fails says so, and the others come all the same.

    bots: how many of the newest bots the statements about one bot are run for.
    """
    parts: tuple[tuple[str, Callable[[Session], Sequence[Piece]]], ...] = (
        ("sql-rows.txt", lambda session: _statements(session, bots)),
        ("invariants.txt", lambda session: [_invariants(session)]),
        ("versions.txt", lambda session: [_versions(session)]),
    )
    for file, part in parts:
        try:
            with tx() as session:
                queries.read_only(session)
                pieces = part(session)
        except GantryError as error:
            pieces = [Piece(file, "the database answers", f"{error}\n", PieceOutcome.FAILED, str(error))]
        yield from pieces


def aligned(rows: StatementRows) -> str:
    """Return rows as psql shows them: aligned columns, nothing for null, and how many there are."""
    cells = [[str(name) for name in rows.columns], *([_cell(value) for value in row] for row in rows.rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(rows.columns))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    return "\n".join([*lines, f"({len(rows.rows)} rows)"]) + "\n"


def _statements(session: Session, bots: int) -> Sequence[Piece]:
    found = queries.newest_bots(session, limit=bots)
    pieces = [_of_bots(session, statement, found) for statement in queries.STATEMENTS]
    return [*pieces, _agreement(session)]


def _of_bots(session: Session, statement: Statement, bots: Sequence[tuple[UUID, str]]) -> Piece:
    """Run a statement for each bot; without one it is run for none, to see that it works."""
    parts = []
    for bot_id, name in bots or [(NO_BOT, "none: there are no bots")]:
        sql = queries.for_bot(statement, bot_id)
        piece = _ran(session, statement, sql)
        if piece.outcome is not PieceOutcome.OK:
            return piece
        parts.append(f"-- bot: {' '.join(name.split())}\n{piece.text}")
    return Piece(_file(statement), statement.proves, "\n".join(parts))


def _agreement(session: Session) -> Piece:
    statement = queries.AGREEMENT
    piece = _ran(session, statement, statement.sql)
    if piece.outcome is not PieceOutcome.OK:
        return piece
    rows = queries.run(session, statement.sql).rows
    differ = [str(row[0]) for row in rows if any(row[place] != row[place + 1] for place in range(2, len(row), 2))]
    if not differ:
        return piece
    message = f"Ticks whose counts are not those of their jobs: {', '.join(differ)}."
    return Piece(piece.file, piece.proves, f"{message}\n\n{piece.text}", PieceOutcome.FAILED, message)


def _ran(session: Session, statement: Statement, sql: str) -> Piece:
    """Run one statement in a savepoint, so that the next one can still be run after a failure."""
    file = _file(statement)
    try:
        with session.begin_nested():
            return Piece(file, statement.proves, f"{sql}\n\n{aligned(queries.run(session, sql))}")
    except DBAPIError as error:
        message = str(error.orig).strip().splitlines()[0]
        missing = statement.to_come and isinstance(error.orig, psycopg.errors.UndefinedTable)
        outcome = PieceOutcome.NOT_AVAILABLE if missing else PieceOutcome.FAILED
        return Piece(file, statement.proves, f"{sql}\n\n{outcome}: {message}\n", outcome, message)


def _invariants(session: Session) -> Piece:
    violations = check_invariants(session)
    proves = "what must always hold of jobs, results and stages holds in the whole database"
    text = "$ gantry doctor --invariants\n\n" + "\n".join(invariant_lines(violations)) + "\n"
    if not violations:
        return Piece("invariants.txt", proves, text)
    return Piece("invariants.txt", proves, text, PieceOutcome.FAILED, f"{len(violations)} violations.")


def _versions(session: Session) -> Piece:
    postgres, revision = queries.server(session)
    facts: Mapping[str, str] = {
        "gantry": code_version(),
        "schema": revision or "none",
        "postgres": postgres,
        "python": platform.python_version(),
        "system": platform.platform(),
        **{name: _installed(name) for name in PACKAGES},
    }
    lines = "".join(f"{name:<12}{fact}\n" for name, fact in facts.items())
    return Piece("versions.txt", "the versions of the software that made this pack", lines)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _file(statement: Statement) -> str:
    return f"sql-{statement.name}.txt"


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return "" if value is None else str(value)
