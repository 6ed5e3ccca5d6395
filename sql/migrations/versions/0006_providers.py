"""Calls to providers, and fetches of bars: one row an attempt."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SYSTEM = (
    "'BARS_IMPORTED', 'BARS_SIMULATED', 'BARS_FETCHED', 'BARS_BLOCKED', 'LEASES_REAPED', 'LEASES_REARMED', "
    "'WORKER_LOST'"
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "integration_usage_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint(
            "status IN ('OK', 'ERROR', 'VERIFY')", name=op.f("ck_integration_usage_events_status_known")
        ),
        sa.CheckConstraint("latency_ms >= 0", name=op.f("ck_integration_usage_events_latency_not_negative")),
        sa.CheckConstraint(
            "(status = 'ERROR') <= (error_code IS NOT NULL)", name=op.f("ck_integration_usage_events_error_has_code")
        ),
        sa.CheckConstraint(
            "(status = 'OK') <= (error_code IS NULL)", name=op.f("ck_integration_usage_events_ok_has_no_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_usage_events")),
    )
    op.create_index(
        "ix_integration_usage_events_provider", "integration_usage_events", ["provider_id", sa.text("created_at DESC")]
    )
    op.create_index("ix_integration_usage_events_created_at", "integration_usage_events", [sa.text("created_at DESC")])
    op.create_table(
        "bars_fetches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("providers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("bars_id", sa.Uuid(), nullable=True),
        sa.Column("payload_sha256", sa.Text(), nullable=True),
        sa.Column("put_aside", sa.Text(), nullable=True),
        sa.Column("cost_usd", sa.Numeric(18, 4), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("fix", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.CheckConstraint("month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name=op.f("ck_bars_fetches_month_format")),
        sa.CheckConstraint(
            "(error_code IS NULL) = (bars_id IS NOT NULL)", name=op.f("ck_bars_fetches_fetched_or_failed")
        ),
        sa.CheckConstraint("(error_code IS NULL) = (message IS NULL)", name=op.f("ck_bars_fetches_failure_says_why")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bars_fetches")),
    )
    op.create_index("ix_bars_fetches_month", "bars_fetches", ["symbol", "month", sa.text("created_at DESC")])
    for table in ("integration_usage_events", "bars_fetches"):
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO gantry_app")
    op.drop_constraint(op.f("ck_system_events_event_type_known"), "system_events")
    op.create_check_constraint(op.f("ck_system_events_event_type_known"), "system_events", f"event_type IN ({SYSTEM})")
