"""Workers that pull jobs, progress and backoff of jobs, one session a job, and replies to repeated requests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ACTIVITY = (
    "'STARTER_PACK_CREATED', 'BOT_CREATED', 'BOT_CHANGED', 'BOT_ARCHIVED', 'BACKTEST_QUEUED', 'BACKTEST_STARTED', "
    "'BACKTEST_COMPLETED', 'BACKTEST_FAILED', 'BACKTEST_CANCELED', 'STAGE_CHANGED'"
)
SYSTEM = "'BARS_IMPORTED', 'BARS_SIMULATED', 'BARS_BLOCKED', 'LEASES_REAPED', 'LEASES_REARMED', 'WORKER_LOST'"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "worker_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_type", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("jobs_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.CheckConstraint("job_type IN ('BACKTEST', 'IMPROVE', 'EVOLVE')", name=op.f("ck_worker_runs_job_type_known")),
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name=op.f("ck_worker_runs_reason_when_ended")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_runs")),
    )
    op.create_index(
        "ix_worker_runs_living", "worker_runs", ["requested_at"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("ix_worker_runs_ended_at", "worker_runs", [sa.text("ended_at DESC")])
    op.create_table(
        "idempotency_keys",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reply", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"])
    op.add_column("bots", sa.Column("starter_key", sa.Text(), nullable=True))
    op.create_index(
        "uq_bots_starter_key_active",
        "bots",
        ["starter_key"],
        unique=True,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_index(
        "ix_bots_newest",
        "bots",
        [sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.alter_column("bot_jobs", "created_at", server_default=sa.text("clock_timestamp()"))
    op.add_column("bot_jobs", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    op.add_column("bot_jobs", sa.Column("worker_id", sa.Uuid(), nullable=True))
    op.add_column("bot_jobs", sa.Column("progress", sa.Float(), nullable=True))
    op.add_column("bot_jobs", sa.Column("progress_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_bot_jobs_progress_is_a_fraction"), "bot_jobs", "progress BETWEEN 0 AND 1")
    op.create_index("ix_bot_jobs_running", "bot_jobs", ["job_type"], postgresql_where=sa.text("status = 'RUNNING'"))
    op.create_index("uq_backtest_sessions_job_id", "backtest_sessions", ["job_id"], unique=True)
    op.create_index(
        op.f("ix_activity_events_created_at_id"), "activity_events", [sa.text("created_at DESC"), sa.text("id DESC")]
    )
    for table, members in (("activity_events", ACTIVITY), ("system_events", SYSTEM)):
        op.drop_constraint(op.f(f"ck_{table}_event_type_known"), table)
        op.create_check_constraint(op.f(f"ck_{table}_event_type_known"), table, f"event_type IN ({members})")
    op.execute("GRANT SELECT, INSERT, UPDATE ON worker_runs TO gantry_app")
    op.execute("GRANT SELECT, INSERT, DELETE ON idempotency_keys TO gantry_app")
