"""What a score could be now at most, and what disqualifies a bot; null until the bot is graded again."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("autonomy_scores", sa.Column("autonomy_score_max", sa.Float(), nullable=True))
    op.add_column("autonomy_scores", sa.Column("locked_by", sa.Text(), nullable=True))
    op.add_column("autonomy_scores", sa.Column("locked_reason", sa.Text(), nullable=True))
    op.create_check_constraint("score_max_in_range", "autonomy_scores", "autonomy_score_max BETWEEN 0 AND 100")
    op.create_check_constraint("lock_has_a_reason", "autonomy_scores", "(locked_by IS NULL) = (locked_reason IS NULL)")


def downgrade() -> None:
    """Undo."""
    for name in ("locked_reason", "locked_by", "autonomy_score_max"):
        op.drop_column("autonomy_scores", name)
