"""The planner's ticks and decisions, and when each loop last went round."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "autonomy_planner_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("jobs_enqueued", sa.Integer(), nullable=False),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "cause IN ('CLOCK', 'METRICS_RESET', 'STAGE_CHANGE', 'PERSON')",
            name=op.f("ck_autonomy_planner_runs_cause_known"),
        ),
        sa.CheckConstraint("jobs_enqueued >= 0", name=op.f("ck_autonomy_planner_runs_jobs_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autonomy_planner_runs")),
    )
    op.create_index(
        "ix_autonomy_planner_runs_enqueued",
        "autonomy_planner_runs",
        [sa.text("started_at DESC"), sa.text("id DESC")],
        postgresql_where=sa.text("jobs_enqueued > 0"),
    )
    op.create_index(
        "ix_autonomy_planner_runs_newest", "autonomy_planner_runs", [sa.text("started_at DESC"), sa.text("id DESC")]
    )
    op.create_table(
        "loop_ticks",
        sa.Column("loop", sa.Text(), nullable=False),
        sa.Column("every_s", sa.Float(), nullable=False),
        sa.Column("ticked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took_s", sa.Float(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("every_s > 0", name=op.f("ck_loop_ticks_every_positive")),
        sa.PrimaryKeyConstraint("loop", name=op.f("pk_loop_ticks")),
    )
    op.create_table(
        "autonomy_bot_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("planner_run_id", sa.Uuid(), nullable=False),
        sa.Column("enqueued", sa.Boolean(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("not_started", sa.Text(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("job_type", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint(
            "job_type IS NULL OR job_type IN ('BACKTEST', 'IMPROVE', 'EVOLVE')",
            name=op.f("ck_autonomy_bot_decisions_job_type_known"),
        ),
        sa.CheckConstraint(
            "not_started IS NULL OR not_started IN ('CAP_REACHED_GLOBAL', 'CAP_REACHED_TYPE', 'CAP_REACHED_SYMBOL', 'BARS_PENDING')",
            name=op.f("ck_autonomy_bot_decisions_not_started_known"),
        ),
        sa.CheckConstraint(
            "reason_code IN ('NO_BASELINE', 'BASELINE_OLD', 'NEW_SESSION', 'IMPROVE_DUE', 'EVOLVE_DUE', 'RETRY', 'BASELINE_FRESH', 'ACTIVE_JOB_EXISTS', 'BACKOFF', 'RETRIES_EXHAUSTED', 'DATA_UNAVAILABLE', 'TOO_FEW_TRADES', 'CADENCE_NOT_DUE', 'NOT_IN_LAB', 'ARCHIVED', 'STAGE_LOCKED', 'PROMOTION_MANUAL')",
            name=op.f("ck_autonomy_bot_decisions_reason_code_known"),
        ),
        sa.CheckConstraint("enqueued = (job_id IS NOT NULL)", name=op.f("ck_autonomy_bot_decisions_job_of_enqueued")),
        sa.CheckConstraint(
            "enqueued = (job_type IS NOT NULL)", name=op.f("ck_autonomy_bot_decisions_type_of_enqueued")
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_autonomy_bot_decisions_bot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autonomy_bot_decisions")),
    )
    op.create_index("ix_autonomy_bot_decisions_created_at", "autonomy_bot_decisions", ["created_at"])
    op.create_index(
        "ix_autonomy_bot_decisions_newest",
        "autonomy_bot_decisions",
        ["bot_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.add_column("bot_jobs", sa.Column("bars_generation", sa.Text(), nullable=True))
    op.create_index(
        "ix_bot_jobs_newest_of_type", "bot_jobs", ["bot_id", "job_type", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("ix_bot_stage_events_created_at", "bot_stage_events", ["created_at"])
    op.create_index("ix_bot_metrics_events_created_at", "bot_metrics_events", ["created_at"])
    op.execute("GRANT SELECT, INSERT, DELETE ON autonomy_planner_runs, autonomy_bot_decisions TO gantry_app")  # pruned
    op.execute("GRANT SELECT, INSERT, UPDATE ON loop_ticks TO gantry_app")
