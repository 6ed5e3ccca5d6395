"""Reasons that bars give: new ones for a backtest, and too little history for an improvement."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

REASONS = "'NO_BASELINE', 'BASELINE_OLD', 'NEW_SESSION', 'NEW_BARS', 'IMPROVE_DUE', 'EVOLVE_DUE', 'RETRY', 'BASELINE_FRESH', 'ACTIVE_JOB_EXISTS', 'BACKOFF', 'RETRIES_EXHAUSTED', 'DATA_UNAVAILABLE', 'TOO_FEW_TRADES', 'NOT_ENOUGH_HISTORY', 'CADENCE_NOT_DUE', 'NOT_IN_LAB', 'ARCHIVED', 'STAGE_LOCKED', 'PROMOTION_MANUAL'"


def upgrade() -> None:
    """Apply."""
    name = op.f("ck_autonomy_bot_decisions_reason_code_known")
    op.drop_constraint(name, "autonomy_bot_decisions")
    op.create_check_constraint(name, "autonomy_bot_decisions", f"reason_code IN ({REASONS})")
