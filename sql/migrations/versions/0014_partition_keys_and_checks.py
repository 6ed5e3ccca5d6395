"""Each bot's partition key in Dagster, and what checks found in the session behind its metrics."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# As `fleet.partition_keys` makes them: the older of two bots with the same key keeps it, the younger has its whole id.
KEYS = r"""
WITH slugged AS (
  SELECT id, created_at, replace(id::text, '-', '') AS hex, trim(BOTH '-' FROM regexp_replace(
    lower(regexp_replace(normalize(name, NFKD), '[^\x01-\x7f]', '', 'g')), '[^a-z0-9]+', '-', 'g')) AS slug
  FROM bots
), named AS (
  SELECT id, created_at, hex, CASE WHEN slug = '' THEN 'bot' ELSE slug END AS slug FROM slugged
), keyed AS (
  SELECT id, hex, slug, rtrim(left(slug, 91), '-') || '-' || right(hex, 8) AS short,
         rtrim(left(slug, 67), '-') || '-' || hex AS long,
         row_number() OVER (
           PARTITION BY rtrim(left(slug, 91), '-') || '-' || right(hex, 8) ORDER BY created_at, id
         ) AS place
  FROM named
)
UPDATE bots SET partition_key = CASE WHEN place = 1 THEN short ELSE long END FROM keyed WHERE keyed.id = bots.id
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("bots", sa.Column("partition_key", sa.Text(), nullable=True))
    op.execute(KEYS)
    op.alter_column("bots", "partition_key", nullable=False)
    op.create_unique_constraint(op.f("uq_bots_partition_key"), "bots", ["partition_key"])
    op.create_check_constraint(
        op.f("ck_bots_partition_key_form"),
        "bots",
        "partition_key ~ '^[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{8,32}$' AND length(partition_key) <= 100",
    )
    op.create_table(
        "bot_checks",
        sa.Column("bot_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("failed", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("raw_compared", sa.Boolean(), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_bot_checks_bot_id")),
        sa.PrimaryKeyConstraint("bot_id", name=op.f("pk_bot_checks")),
    )
    op.create_index(
        "ix_bot_checks_not_compared", "bot_checks", ["bot_id"], postgresql_where=sa.text("NOT raw_compared")
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON bot_checks TO gantry_app")
