"""Create the tables of bars, of raw results and of what is derived from them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "bars_catalogue",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("data_label", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("contracts_hash", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("source_sha256", sa.Text(), nullable=True),
        sa.Column("source_details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("bars_count", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contracts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("quality", sa.Text(), nullable=False),
        sa.Column("quality_report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "data_label IN ('VENDOR', 'SIMULATED', 'IMPORTED')",
            name=op.f("ck_bars_catalogue_data_label_known"),
        ),
        sa.CheckConstraint(
            "month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'",
            name=op.f("ck_bars_catalogue_month_format"),
        ),
        sa.CheckConstraint(
            "quality IN ('OK', 'WARN', 'BLOCKED')",
            name=op.f("ck_bars_catalogue_quality_known"),
        ),
        sa.CheckConstraint("bars_count > 0", name=op.f("ck_bars_catalogue_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bars_catalogue")),
    )
    op.create_index(
        "uq_bars_catalogue_active",
        "bars_catalogue",
        ["symbol", "month"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "bot_equity_curve",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("trading_day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("equity_usd", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("drawdown_usd", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.CheckConstraint(
            "source IN ('BACKTEST', 'PAPER', 'SHADOW', 'CANARY', 'LIVE')",
            name=op.f("ck_bot_equity_curve_source_known"),
        ),
        sa.PrimaryKeyConstraint("session_id", "seq", name=op.f("pk_bot_equity_curve")),
    )
    op.create_table(
        "trade_logs",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("side", sa.SmallInteger(), nullable=False),
        sa.Column("qty", sa.Integer(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("entry_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exit_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_ticks", sa.BigInteger(), nullable=False),
        sa.Column("exit_ticks", sa.BigInteger(), nullable=False),
        sa.Column("gross_pnl", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("commission", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column(
            "net_pnl",
            sa.Numeric(precision=18, scale=4),
            sa.Computed(
                "gross_pnl - commission",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("exit_reason", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "source IN ('BACKTEST', 'PAPER', 'SHADOW', 'CANARY', 'LIVE')",
            name=op.f("ck_trade_logs_source_known"),
        ),
        sa.CheckConstraint("exit_at >= entry_at", name=op.f("ck_trade_logs_exit_after_entry")),
        sa.CheckConstraint("qty > 0", name=op.f("ck_trade_logs_qty_positive")),
        sa.CheckConstraint("side IN (-1, 1)", name=op.f("ck_trade_logs_side_known")),
        sa.PrimaryKeyConstraint("session_id", "seq", name=op.f("pk_trade_logs")),
    )
    op.create_index(
        "ix_trade_logs_bot_id_entry_at",
        "trade_logs",
        ["bot_id", "entry_at"],
        unique=False,
        postgresql_where=sa.text("source <> 'BACKTEST'"),
    )
    op.create_table(
        "autonomy_scores",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("autonomy_score", sa.Float(), nullable=False),
        sa.Column("data_reliability_score", sa.Float(), nullable=True),
        sa.Column("decision_quality_score", sa.Float(), nullable=True),
        sa.Column("risk_discipline_score", sa.Float(), nullable=True),
        sa.Column("execution_health_score", sa.Float(), nullable=True),
        sa.Column("supervisor_trust_score", sa.Float(), nullable=True),
        sa.Column("autonomy_tier", sa.Text(), nullable=False),
        sa.Column("breakdown", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column(
            "last_updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "autonomy_tier IN ('LOCKED', 'SUPERVISED', 'LIMITED_AUTONOMY', 'FULL_AUTONOMY')",
            name=op.f("ck_autonomy_scores_autonomy_tier_known"),
        ),
        sa.CheckConstraint(
            "autonomy_score BETWEEN 0 AND 100",
            name=op.f("ck_autonomy_scores_score_in_range"),
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_autonomy_scores_bot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autonomy_scores")),
        sa.UniqueConstraint("bot_id", name=op.f("uq_autonomy_scores_bot_id")),
    )
    op.create_table(
        "bot_metrics_rollups",
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("total_trades", sa.Integer(), nullable=False),
        sa.Column("wins", sa.Integer(), nullable=False),
        sa.Column("net_pnl", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("gross_profit", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("gross_loss", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("max_drawdown_usd", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("max_drawdown_fraction", sa.Float(), nullable=False),
        sa.Column("sharpe", sa.Float(), nullable=True),
        sa.Column("profit_factor", sa.Float(), nullable=True),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "source IN ('BACKTEST', 'PAPER', 'SHADOW', 'CANARY', 'LIVE')",
            name=op.f("ck_bot_metrics_rollups_source_known"),
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_bot_metrics_rollups_bot_id")),
        sa.PrimaryKeyConstraint("bot_id", "source", name=op.f("pk_bot_metrics_rollups")),
    )
    op.create_table(
        "backtest_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("data_label", sa.Text(), nullable=True),
        sa.Column("bars_hash", sa.Text(), nullable=True),
        sa.Column("bars_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("bars_count", sa.Integer(), nullable=True),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("costs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("total_trades", sa.Integer(), nullable=True),
        sa.Column("net_pnl", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("gross_pnl", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("commission", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("max_drawdown_usd", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("metrics", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("open_position", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("analysis", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("suggested_fix", sa.Text(), nullable=True),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(status = 'COMPLETED') = (net_pnl IS NOT NULL)",
            name=op.f("ck_backtest_sessions_result_of_completed"),
        ),
        sa.CheckConstraint(
            "(status = 'FAILED') = (error_code IS NOT NULL)",
            name=op.f("ck_backtest_sessions_error_of_failed"),
        ),
        sa.CheckConstraint(
            "data_label IN ('VENDOR', 'SIMULATED', 'IMPORTED')",
            name=op.f("ck_backtest_sessions_data_label_known"),
        ),
        sa.CheckConstraint(
            "status = 'FAILED' OR data_label IS NOT NULL",
            name=op.f("ck_backtest_sessions_label_of_completed"),
        ),
        sa.CheckConstraint(
            "status IN ('COMPLETED', 'FAILED')",
            name=op.f("ck_backtest_sessions_status_known"),
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_backtest_sessions_bot_id")),
        sa.ForeignKeyConstraint(["job_id"], ["bot_jobs.id"], name=op.f("fk_backtest_sessions_job_id")),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["bot_versions.id"],
            name=op.f("fk_backtest_sessions_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backtest_sessions")),
    )
    op.create_index(
        "ix_backtest_sessions_bot_id_created_at",
        "backtest_sessions",
        ["bot_id", "created_at"],
        unique=False,
    )
