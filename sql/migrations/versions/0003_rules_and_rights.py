"""The database holds the rules: insert-only tables, legal job transitions, rights of the application's role."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSERT_ONLY = (
    "backtest_sessions",
    "trade_logs",
    "bot_equity_curve",
    "job_run_events",
    "activity_events",
    "system_events",
    "bot_stage_events",
    "bot_versions",
)
CHANGEABLE = (
    "bots",
    "bot_boundaries",
    "bot_jobs",
    "bars_catalogue",
)
# What is derived from raw rows may be dropped, and is derived anew.
DERIVED = ("bot_metrics_rollups", "autonomy_scores")

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is insert-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation',
    CONSTRAINT = 'insert_only';
END $$
"""
LEGAL_TRANSITION = """
CREATE FUNCTION refuse_illegal_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status IS DISTINCT FROM OLD.status AND NOT (
       (OLD.status = 'QUEUED' AND NEW.status IN ('RUNNING', 'CANCELED'))
    OR (OLD.status = 'RUNNING' AND NEW.status IN ('COMPLETED', 'FAILED', 'TIMEOUT', 'CANCELED'))
  ) OR OLD.status NOT IN ('QUEUED', 'RUNNING') THEN
    RAISE EXCEPTION 'job %: % -> % refused', OLD.id, OLD.status, NEW.status USING ERRCODE = 'restrict_violation',
      CONSTRAINT = 'legal_transition';
  END IF;
  IF (NEW.id, NEW.root_job_id, NEW.bot_id, NEW.job_type, NEW.kind, NEW.attempt, NEW.iteration, NEW.created_at)
     IS DISTINCT FROM
     (OLD.id, OLD.root_job_id, OLD.bot_id, OLD.job_type, OLD.kind, OLD.attempt, OLD.iteration, OLD.created_at) THEN
    RAISE EXCEPTION 'job %: what it is may not change', OLD.id USING ERRCODE = 'restrict_violation',
      CONSTRAINT = 'legal_transition';
  END IF;
  RETURN NEW;
END $$
"""
ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gantry_app') THEN
    CREATE ROLE gantry_app NOLOGIN;
    EXECUTE format('GRANT gantry_app TO %I', session_user);
  END IF;
END $$
"""


def upgrade() -> None:
    """Apply."""
    op.execute(REFUSE_CHANGE)
    op.execute(LEGAL_TRANSITION)
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER legal_transition BEFORE UPDATE ON bot_jobs "
        "FOR EACH ROW EXECUTE FUNCTION refuse_illegal_transition()"
    )
    op.execute(
        "CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON bot_jobs "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(ROLE)
    op.execute("GRANT USAGE ON SCHEMA public TO gantry_app")
    op.execute("GRANT SELECT ON alembic_version TO gantry_app")
    for table in INSERT_ONLY:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO gantry_app")
    for table in CHANGEABLE:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO gantry_app")
    for table in DERIVED:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO gantry_app")
    op.execute("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO gantry_app")
