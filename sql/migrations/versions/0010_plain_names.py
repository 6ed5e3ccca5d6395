"""Plain names: a loop's message, and the reason of each subscore."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _rename_column("said", "message")
    op.execute(_renamed("because", "reason"))


def downgrade() -> None:
    """Undo."""
    op.execute(_renamed("reason", "because"))
    _rename_column("message", "said")


def _rename_column(old: str, new: str) -> None:
    """Rename it, and from Postgres 18 on the constraint that is named after it."""
    op.alter_column("loop_ticks", old, new_column_name=new)
    op.execute(f"""
        DO $$ BEGIN
          IF EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'loop_ticks_{old}_not_null') THEN
            ALTER TABLE loop_ticks RENAME CONSTRAINT loop_ticks_{old}_not_null TO loop_ticks_{new}_not_null;
          END IF;
        END $$
    """)  # noqa: S608 - both names are written here


def _renamed(old: str, new: str) -> str:
    """Return the statement that renames a key of every subscore in the stored breakdowns."""
    return f"""
        UPDATE autonomy_scores SET breakdown = jsonb_set(breakdown, '{{subscores}}', (
            SELECT jsonb_object_agg(name, part - '{old}' || jsonb_build_object('{new}', part -> '{old}'))
            FROM jsonb_each(breakdown -> 'subscores') s (name, part)))
        WHERE jsonb_typeof(breakdown -> 'subscores') = 'object' AND breakdown -> 'subscores' <> '{{}}'
    """  # noqa: S608 - both names are written here
