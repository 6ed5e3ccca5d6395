"""Resets of metrics and bulk reverts: their audit rows, and what the feed tells of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ACTIVITY = (
    "'STARTER_PACK_CREATED', 'BOT_CREATED', 'BOT_CHANGED', 'BOT_ARCHIVED', 'BACKTEST_QUEUED', 'BACKTEST_STARTED', "
    "'BACKTEST_COMPLETED', 'BACKTEST_FAILED', 'BACKTEST_CANCELED', 'STAGE_CHANGED', 'METRICS_RESET', 'REVERTED_TO_LAB'"
)
SYSTEM = (
    "'BARS_IMPORTED', 'BARS_SIMULATED', 'BARS_FETCHED', 'BARS_BLOCKED', 'LEASES_REAPED', 'LEASES_REARMED', "
    "'WORKER_LOST', 'METRICS_RESET', 'REVERTED_TO_LAB'"
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "bot_metrics_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "payload_json", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "scope IN ('ALL', 'BACKTEST_ONLY', 'PAPER_ONLY', 'LIVE_ONLY')",
            name=op.f("ck_bot_metrics_events_scope_known"),
        ),
        sa.CheckConstraint("event_type = 'METRICS_RESET'", name=op.f("ck_bot_metrics_events_event_type_known")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_bot_metrics_events_bot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bot_metrics_events")),
    )
    op.create_index(op.f("ix_bot_metrics_events_bot_id_created_at"), "bot_metrics_events", ["bot_id", "created_at"])
    op.create_index(
        "uq_bot_metrics_events_request",
        "bot_metrics_events",
        [sa.text("(payload_json ->> 'request_id')"), "bot_id"],
        unique=True,
    )
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bot_metrics_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("GRANT SELECT, INSERT ON bot_metrics_events TO gantry_app")
    op.add_column(
        "bot_boundaries", sa.Column("equity_epoch", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.create_check_constraint(
        op.f("ck_bot_boundaries_equity_epoch_in_range"), "bot_boundaries", "equity_epoch BETWEEN 0 AND epoch"
    )
    for table, members in (("activity_events", ACTIVITY), ("system_events", SYSTEM)):
        op.drop_constraint(op.f(f"ck_{table}_event_type_known"), table)
        op.create_check_constraint(op.f(f"ck_{table}_event_type_known"), table, f"event_type IN ({members})")
