"""Sessions that fail their quality checks and that a person took in; what an open position is worth."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
BARS = "'BARS_IMPORTED', 'BARS_SIMULATED', 'BARS_FETCHED', 'BARS_BLOCKED'"
OTHERS = "'LEASES_REAPED', 'LEASES_REARMED', 'WORKER_LOST', 'METRICS_RESET', 'REVERTED_TO_LAB'"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "bars_accepted_sessions",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("session_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_bars_accepted_sessions_reason_given")),
        sa.PrimaryKeyConstraint("symbol", "session_on", name=op.f("pk_bars_accepted_sessions")),
    )
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bars_accepted_sessions "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("GRANT SELECT, INSERT ON bars_accepted_sessions TO gantry_app")
    _let_events_be(f"{BARS}, 'BARS_SESSION_ACCEPTED', 'BARS_JUDGED_AGAIN', {OTHERS}")
    op.add_column("bot_metrics_rollups", sa.Column("open_pnl", sa.Numeric(precision=18, scale=4), nullable=True))
    op.execute("""
        UPDATE bot_metrics_rollups r SET open_pnl = coalesce((s.open_position ->> 'unrealized_pnl')::numeric, 0)
        FROM backtest_sessions s WHERE s.id = r.session_id AND s.status = 'COMPLETED'
    """)


def downgrade() -> None:
    """Undo."""
    op.drop_column("bot_metrics_rollups", "open_pnl")
    _let_events_be(f"{BARS}, {OTHERS}")
    op.drop_table("bars_accepted_sessions")


def _let_events_be(members: str) -> None:
    op.drop_constraint(op.f("ck_system_events_event_type_known"), "system_events")
    op.create_check_constraint(op.f("ck_system_events_event_type_known"), "system_events", f"event_type IN ({members})")
