"""Improvements with their evidence, and promotions that wait for a second person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
ACTIVITY = (
    "'STARTER_PACK_CREATED', 'BOT_CREATED', 'BOT_CHANGED', 'BOT_ARCHIVED', 'BACKTEST_QUEUED', "
    "'BACKTEST_STARTED', 'BACKTEST_COMPLETED', 'BACKTEST_FAILED', 'BACKTEST_CANCELED', 'IMPROVE_QUEUED', "
    "'IMPROVE_STARTED', 'IMPROVE_COMPLETED', 'IMPROVE_FAILED', 'IMPROVE_CANCELED', 'EVOLVE_QUEUED', "
    "'EVOLVE_STARTED', 'EVOLVE_COMPLETED', 'EVOLVE_FAILED', 'EVOLVE_CANCELED', 'VERSION_ADOPTED', "
    "'VERSION_REJECTED', 'STAGE_CHANGED', 'METRICS_RESET', 'REVERTED_TO_LAB'"
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "improvement_progress",
        sa.Column("root_job_id", sa.Uuid(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("state", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("steps_done", sa.Integer(), nullable=False),
        sa.Column("steps_total", sa.Integer(), nullable=False),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("steps_done BETWEEN 0 AND steps_total", name=op.f("ck_improvement_progress_steps_in_range")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_improvement_progress_bot_id")),
        sa.PrimaryKeyConstraint("root_job_id", name=op.f("pk_improvement_progress")),
    )
    op.create_table(
        "promotion_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("from_stage", sa.Text(), nullable=False),
        sa.Column("to_stage", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("gates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "decided_by IS NULL OR outcome <> 'APPROVED' OR decided_by <> requested_by",
            name=op.f("ck_promotion_requests_two_people"),
        ),
        sa.CheckConstraint(
            "from_stage IN ('LAB', 'PAPER', 'SHADOW', 'CANARY', 'LIVE')",
            name=op.f("ck_promotion_requests_from_stage_known"),
        ),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('APPROVED', 'WITHDRAWN', 'EXPIRED')",
            name=op.f("ck_promotion_requests_outcome_known"),
        ),
        sa.CheckConstraint(
            "to_stage IN ('LAB', 'PAPER', 'SHADOW', 'CANARY', 'LIVE')",
            name=op.f("ck_promotion_requests_to_stage_known"),
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (outcome IS NULL)", name=op.f("ck_promotion_requests_outcome_when_decided")
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_promotion_requests_bot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_requests")),
    )
    op.create_index(
        "uq_promotion_requests_open",
        "promotion_requests",
        ["bot_id"],
        unique=True,
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_table(
        "bot_improvements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("job_type", sa.Text(), nullable=False),
        sa.Column("base_version_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("candidate", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sets_tried", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("bars_hash", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint(
            "(verdict = 'ADOPTED') = (version_id IS NOT NULL)", name=op.f("ck_bot_improvements_version_of_adopted")
        ),
        sa.CheckConstraint("job_type IN ('IMPROVE', 'EVOLVE')", name=op.f("ck_bot_improvements_job_type_known")),
        sa.CheckConstraint("verdict IN ('ADOPTED', 'REJECTED')", name=op.f("ck_bot_improvements_verdict_known")),
        sa.CheckConstraint("sets_tried >= 0", name=op.f("ck_bot_improvements_sets_not_negative")),
        sa.ForeignKeyConstraint(
            ["base_version_id"], ["bot_versions.id"], name=op.f("fk_bot_improvements_base_version_id")
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_bot_improvements_bot_id")),
        sa.ForeignKeyConstraint(["job_id"], ["bot_jobs.id"], name=op.f("fk_bot_improvements_job_id")),
        sa.ForeignKeyConstraint(["version_id"], ["bot_versions.id"], name=op.f("fk_bot_improvements_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bot_improvements")),
    )
    op.create_index(
        "ix_bot_improvements_newest", "bot_improvements", ["bot_id", sa.text("created_at DESC"), sa.text("id DESC")]
    )
    op.create_index("uq_bot_improvements_job_id", "bot_improvements", ["job_id"], unique=True)
    op.execute(
        "CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bot_improvements "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("GRANT SELECT, INSERT ON bot_improvements TO gantry_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON improvement_progress TO gantry_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON promotion_requests TO gantry_app")
    op.drop_constraint(op.f("ck_activity_events_event_type_known"), "activity_events")
    op.create_check_constraint(
        op.f("ck_activity_events_event_type_known"), "activity_events", f"event_type IN ({ACTIVITY})"
    )
