"""The database's part of the proof pack: every piece comes, one that fails says so, and nothing is changed."""

from datetime import UTC, datetime

import pytest

from services.proof.pack import Piece, PieceOutcome, aligned, database_pieces
from sql.engine import Transactions, connect, transactions
from sql.queries.proof.pack import STATEMENTS, Statement, StatementRows
from tests.factories.bots import MakeBot
from tests.factories.databases import OwnerSql
from tests.factories.rounds import tick


def pieces(tx: Transactions, *, bots: int = 2) -> dict[str, Piece]:
    return {piece.file: piece for piece in database_pieces(tx, bots=bots)}


def test_rows_are_shown_as_psql_shows_them() -> None:
    at = datetime(2024, 1, 2, 3, 4, tzinfo=UTC)
    shown = aligned(StatementRows(("id", "at"), ((1, at), (22, None))))
    assert shown == "id | at\n---+---------------------\n1  | 2024-01-02T03:04:00Z\n22 |\n(2 rows)\n"


def test_every_statement_is_run_for_the_newest_bots_by_name(tx: Transactions, make_bot: MakeBot) -> None:
    for name in ("first", "second", "third"):
        make_bot(name)
    tick(tx)
    found = pieces(tx)
    text = found["sql-bot_jobs.txt"].text
    assert [line for line in text.splitlines() if line.startswith("-- bot:")] == ["-- bot: third", "-- bot: second"]
    assert {piece.file for piece in found.values() if piece.outcome is PieceOutcome.FAILED} == set()
    assert found["invariants.txt"].outcome is PieceOutcome.OK
    assert "postgres" in found["versions.txt"].text


def test_what_is_not_built_yet_says_so_and_an_empty_fleet_has_every_piece_too(tx: Transactions) -> None:
    empty = pieces(tx)
    assert empty["sql-bot_instances.txt"].outcome is PieceOutcome.NOT_AVAILABLE
    assert {piece.outcome for piece in empty.values()} == {PieceOutcome.OK, PieceOutcome.NOT_AVAILABLE}


def test_a_statement_that_fails_leaves_the_others_as_they_are(
    tx: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Statement("broken", "nothing", "SELECT nonsense FROM bots WHERE id = '<ID>';")
    monkeypatch.setattr("sql.queries.proof.pack.STATEMENTS", (broken, *STATEMENTS))
    found = pieces(tx)
    assert found["sql-broken.txt"].outcome is PieceOutcome.FAILED
    assert "nonsense" in found["sql-broken.txt"].message
    assert found["sql-bot_jobs.txt"].outcome is PieceOutcome.OK


def test_a_tick_that_counts_other_jobs_than_there_are_fails_the_pack(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    make_bot()
    made = tick(tx)
    owner_sql("UPDATE autonomy_planner_runs SET jobs_enqueued = 7")
    failed = [piece for piece in pieces(tx).values() if piece.outcome is PieceOutcome.FAILED]
    assert any(str(made.id) in piece.message for piece in failed)


def test_without_a_database_each_part_says_why(tx: Transactions) -> None:
    nowhere = transactions(connect("postgresql://nobody@127.0.0.1:1/none"))
    found = pieces(nowhere)
    assert {piece.outcome for piece in found.values()} == {PieceOutcome.FAILED}
    assert set(found) == {"sql-rows.txt", "invariants.txt", "versions.txt"}
