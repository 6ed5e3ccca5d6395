"""Create the tables of bots, of their jobs and of events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "activity_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column(
            "payload",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "event_type IN ('STARTER_PACK_CREATED', 'BOT_CREATED', 'BACKTEST_QUEUED', 'BACKTEST_STARTED', 'BACKTEST_COMPLETED', 'BACKTEST_FAILED', 'STAGE_CHANGED')",
            name=op.f("ck_activity_events_event_type_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_events")),
    )
    op.create_index(
        ("ix_activity_events_bot_id_created_at"),
        "activity_events",
        ["bot_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "bots",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("timeframe", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), server_default="LAB", nullable=False),
        sa.Column("stage_reason_code", sa.Text(), nullable=True),
        sa.Column("stage_locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promotion_mode", sa.Text(), server_default="MANUAL", nullable=False),
        sa.Column("current_version_id", sa.Uuid(), nullable=True),
        sa.Column("metrics_reset_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("metrics_reset_reason_code", sa.Text(), nullable=True),
        sa.Column("metrics_reset_by", sa.Text(), nullable=True),
        sa.Column("metrics_reset_scope", sa.Text(), server_default="ALL", nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "metrics_reset_scope IN ('ALL', 'BACKTEST_ONLY', 'PAPER_ONLY', 'LIVE_ONLY')",
            name=op.f("ck_bots_metrics_reset_scope_known"),
        ),
        sa.CheckConstraint(
            "promotion_mode IN ('AUTO', 'MANUAL')",
            name=op.f("ck_bots_promotion_mode_known"),
        ),
        sa.CheckConstraint(
            "stage IN ('LAB', 'PAPER', 'SHADOW', 'CANARY', 'LIVE')",
            name=op.f("ck_bots_stage_known"),
        ),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_bots_name_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bots")),
    )
    op.create_index(
        "uq_bots_name_active",
        "bots",
        ["name"],
        unique=True,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_table(
        "system_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column(
            "payload",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "event_type IN ('BARS_IMPORTED', 'BARS_SIMULATED', 'BARS_BLOCKED', 'LEASES_REAPED')",
            name=op.f("ck_system_events_event_type_known"),
        ),
        sa.CheckConstraint(
            "severity IS NULL OR severity IN ('SEV-1', 'SEV-2')",
            name=op.f("ck_system_events_severity_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_events")),
    )
    op.create_index(("ix_system_events_created_at"), "system_events", ["created_at"], unique=False)
    op.create_table(
        "bot_boundaries",
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "source IN ('BACKTEST', 'PAPER', 'SHADOW', 'CANARY', 'LIVE')",
            name=op.f("ck_bot_boundaries_source_known"),
        ),
        sa.CheckConstraint("epoch >= 0", name=op.f("ck_bot_boundaries_epoch_not_negative")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_bot_boundaries_bot_id")),
        sa.PrimaryKeyConstraint("bot_id", "source", name=op.f("pk_bot_boundaries")),
    )
    op.create_table(
        "bot_stage_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("from_stage", sa.Text(), nullable=True),
        sa.Column("to_stage", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "payload_json",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "to_stage IN ('LAB', 'PAPER', 'SHADOW', 'CANARY', 'LIVE')",
            name=op.f("ck_bot_stage_events_to_stage_known"),
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_bot_stage_events_bot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bot_stage_events")),
    )
    op.create_index(
        ("ix_bot_stage_events_bot_id_created_at"),
        "bot_stage_events",
        ["bot_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "bot_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("costs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("window", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_bot_versions_bot_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["bot_versions.id"], name=op.f("fk_bot_versions_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bot_versions")),
        sa.UniqueConstraint("bot_id", "number", name=op.f("uq_bot_versions_bot_id_number")),
    )
    op.create_table(
        "bot_jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("root_job_id", sa.Uuid(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("job_type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="QUEUED", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default=sa.text("3"), nullable=False),
        sa.Column("iteration", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("suggested_fix", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(job_type = 'BACKTEST') = (kind IS NOT NULL)",
            name=op.f("ck_bot_jobs_kind_of_backtests"),
        ),
        sa.CheckConstraint(
            "(status = 'RUNNING') = (lease_expires_at IS NOT NULL)",
            name=op.f("ck_bot_jobs_expiry_while_running"),
        ),
        sa.CheckConstraint(
            "(status = 'RUNNING') = (lease_token IS NOT NULL)",
            name=op.f("ck_bot_jobs_lease_while_running"),
        ),
        sa.CheckConstraint(
            "(status IN ('QUEUED', 'RUNNING')) = (completed_at IS NULL)",
            name=op.f("ck_bot_jobs_completed_when_terminal"),
        ),
        sa.CheckConstraint(
            "job_type IN ('BACKTEST', 'IMPROVE', 'EVOLVE')",
            name=op.f("ck_bot_jobs_job_type_known"),
        ),
        sa.CheckConstraint(
            "kind IS NULL OR kind IN ('BASELINE', 'REFRESH', 'MANUAL')",
            name=op.f("ck_bot_jobs_kind_known"),
        ),
        sa.CheckConstraint(
            "status IN ('QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'TIMEOUT', 'CANCELED')",
            name=op.f("ck_bot_jobs_status_known"),
        ),
        sa.CheckConstraint(
            "attempt >= 1 AND attempt <= max_attempts",
            name=op.f("ck_bot_jobs_attempt_in_bounds"),
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_bot_jobs_bot_id")),
        sa.ForeignKeyConstraint(["version_id"], ["bot_versions.id"], name=op.f("fk_bot_jobs_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bot_jobs")),
    )
    op.create_index(
        "ix_bot_jobs_bot_id_created_at",
        "bot_jobs",
        ["bot_id", sa.literal_column("created_at DESC")],
        unique=False,
    )
    op.create_index(
        "ix_bot_jobs_queued",
        "bot_jobs",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("status = 'QUEUED'"),
    )
    op.create_index(
        "uq_bot_jobs_active_per_bot",
        "bot_jobs",
        ["bot_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('QUEUED', 'RUNNING')"),
    )
    op.create_table(
        "job_run_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "to_status IN ('QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'TIMEOUT', 'CANCELED')",
            name=op.f("ck_job_run_events_to_status_known"),
        ),
        sa.ForeignKeyConstraint(["job_id"], ["bot_jobs.id"], name=op.f("fk_job_run_events_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run_events")),
    )
    op.create_index(
        ("ix_job_run_events_job_id_id"),
        "job_run_events",
        ["job_id", "id"],
        unique=False,
    )
