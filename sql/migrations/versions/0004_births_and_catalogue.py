"""Jobs are born QUEUED, and what the catalogue says of bars is never rewritten: lineage rests on both."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

REFUSE_BIRTH = """
CREATE FUNCTION refuse_illegal_birth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'job %: born % refused', NEW.id, NEW.status USING ERRCODE = 'restrict_violation',
    CONSTRAINT = 'legal_transition';
END $$
"""


def upgrade() -> None:
    """Apply."""
    op.execute(REFUSE_BIRTH)
    op.execute(
        "CREATE TRIGGER legal_birth BEFORE INSERT ON bot_jobs "
        "FOR EACH ROW WHEN (NEW.status <> 'QUEUED') EXECUTE FUNCTION refuse_illegal_birth()"
    )
    op.execute("REVOKE UPDATE ON bars_catalogue FROM gantry_app")
    op.execute("GRANT UPDATE (superseded_at, superseded_by) ON bars_catalogue TO gantry_app")
