"""Faults of every kind, planted by SQL behind the triggers' back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault: how it is planted, and a part of the sentence it must be found with."""

    invariant: str
    says: str
    statements: tuple[str, ...]


def _job(name: str, status: str) -> str:
    return (
        f"(SELECT j.id FROM bot_jobs j JOIN bots b ON b.id = j.bot_id WHERE b.name = '{name}' AND j.status = '{status}'"
        " ORDER BY j.created_at DESC LIMIT 1)"
    )


def _bot(name: str) -> str:
    return f"(SELECT id FROM bots WHERE name = '{name}')"


def _ledger(job: str, old: str, new: str, reason: str = "TEST") -> str:
    from_status = f"'{old}'" if old else "NULL"
    return (
        "INSERT INTO job_run_events (job_id, from_status, to_status, reason_code, trace_id)"
        f" VALUES ({job}, {from_status}, '{new}', '{reason}', 't')"
    )


def copied(table: str, where: str, **changes: str) -> str:
    """Insert rows again, with other values in some columns."""
    values = ", ".join(f"'{name}', {value}" for name, value in changes.items())
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(r, jsonb_build_object({values}))).*"
        f" FROM {table} r WHERE {where}"
    )


DONE, LOST, BROKEN = _job("done", "COMPLETED"), _job("lost", "TIMEOUT"), _job("broken", "FAILED")
WAITING, AGAIN = _job("waiting", "QUEUED"), _job("lost", "COMPLETED")
SESSION = f"(SELECT id FROM backtest_sessions WHERE job_id = {DONE})"
NO_UNIQUE = "DROP INDEX uq_bot_jobs_active_per_bot"
OF_DONE = f"bot_id = {_bot('done')}"
PLANTED = (
    Planted("I1", "doesn't begin", (f"DELETE FROM job_run_events WHERE job_id = {WAITING}",)),
    Planted("I1", "doesn't begin", (f"DELETE FROM job_run_events WHERE job_id = {DONE} AND from_status IS NULL",)),
    Planted(
        "I1",
        "no other was queued",
        (f"DELETE FROM job_run_events WHERE job_id = {AGAIN}", f"DELETE FROM bot_jobs WHERE id = {AGAIN}"),
    ),
    Planted(
        "I2",
        "several active jobs",
        (NO_UNIQUE, copied("bot_jobs", f"id = {WAITING}", id="gen_random_uuid()", root_job_id="gen_random_uuid()")),
    ),
    Planted(
        "I2",
        "was claimed while another job of its bot was held",
        (
            "UPDATE job_run_events SET created_at = created_at + interval '1 hour' "
            f"WHERE job_id = {LOST} AND to_status = 'TIMEOUT'",
        ),
    ),
    Planted(
        "I2",
        "its job",
        (
            f"UPDATE bot_jobs SET status = 'FAILED' WHERE id = {DONE}",
            f"UPDATE job_run_events SET to_status = 'FAILED' WHERE job_id = {DONE} AND to_status = 'COMPLETED'",
        ),
    ),
    Planted("I2", "points at", (f"UPDATE bot_jobs SET session_id = gen_random_uuid() WHERE id = {DONE}",)),
    Planted(
        "I2",
        "COMPLETED without a COMPLETED session",
        (
            f"UPDATE bot_jobs SET session_id = NULL WHERE id = {DONE}",
            f"DELETE FROM backtest_sessions WHERE job_id = {DONE}",
        ),
    ),
    Planted(
        "I2",
        "its job",
        (
            f"DELETE FROM backtest_sessions WHERE job_id = {BROKEN}",
            copied("backtest_sessions", f"id = {SESSION}", id="gen_random_uuid()", job_id=BROKEN),
        ),
    ),
    Planted(
        "I3",
        "from RUNNING to COMPLETED",
        (f"DELETE FROM job_run_events WHERE job_id = {DONE} AND to_status = 'RUNNING'",),
    ),
    Planted("I3", "from QUEUED to COMPLETED", (_ledger(WAITING, "QUEUED", "COMPLETED"),)),
    Planted(
        "I3",
        "its ledger ends in QUEUED",
        (f"UPDATE bot_jobs SET status = 'CANCELED', completed_at = now() WHERE id = {WAITING}",),
    ),
    Planted("I3", "its ledger ends in None", (f"DELETE FROM job_run_events WHERE job_id = {WAITING}",)),
    Planted(
        "I4",
        "attempt 4 of at most 3",
        (
            "ALTER TABLE bot_jobs DROP CONSTRAINT ck_bot_jobs_attempt_in_bounds",
            f"UPDATE bot_jobs SET attempt = 4 WHERE id = {WAITING}",
        ),
    ),
    Planted("I4", "aren't 1, 2, ... of one bot: [1, 3]", (f"UPDATE bot_jobs SET attempt = 3 WHERE id = {AGAIN}",)),
    Planted("I4", "aren't 1, 2, ... of one bot: [1, 1]", (f"UPDATE bot_jobs SET attempt = 1 WHERE id = {AGAIN}",)),
    Planted(
        "I4",
        "aren't 1, 2, ... of one bot: [1, 2]",
        (f"UPDATE bot_jobs SET bot_id = {_bot('unused')} WHERE id = {AGAIN}",),
    ),
    Planted("I4", "on from COMPLETED, which is final", (_ledger(DONE, "COMPLETED", "RUNNING"),)),
    Planted("I4", "on from TIMEOUT, which is final", (_ledger(LOST, "RUNNING", "TIMEOUT"),)),
    Planted(
        "I4",
        "a further attempt after one that is COMPLETED",
        (copied("bot_jobs", f"id = {DONE}", id="gen_random_uuid()", attempt="2"),),
    ),
    Planted(
        "I5",
        "which was TIMEOUT",
        (copied("backtest_sessions", f"id = {SESSION}", id="gen_random_uuid()", job_id=LOST),),
    ),
    Planted(
        "I5",
        "which was CANCELED",
        (
            copied("backtest_sessions", f"id = {SESSION}", id="gen_random_uuid()", job_id=WAITING),
            f"UPDATE bot_jobs SET status = 'CANCELED', completed_at = now() WHERE id = {WAITING}",
        ),
    ),
    Planted("I5", "epoch 1 and 0", (f"UPDATE backtest_sessions SET epoch = 1 WHERE id = {SESSION}",)),
    Planted("I5", "or another bot", (f"UPDATE backtest_sessions SET bot_id = {_bot('unused')} WHERE id = {SESSION}",)),
    Planted(
        "I5",
        "rows of trade_logs have no COMPLETED session",
        (f"UPDATE trade_logs SET session_id = {LOST} WHERE session_id = {SESSION}",),
    ),
    Planted(
        "I5",
        "rows of bot_equity_curve have no COMPLETED session",
        (f"UPDATE bot_equity_curve SET session_id = {LOST} WHERE session_id = {SESSION}",),
    ),
    Planted("I6", "its trades are", (f"DELETE FROM trade_logs WHERE session_id = {SESSION} AND seq = 0",)),
    Planted(
        "I6",
        "and net",
        (f"UPDATE trade_logs SET gross_pnl = gross_pnl + 0.01 WHERE session_id = {SESSION} AND seq = 3",),
    ),
    Planted("I6", "its trades are", (f"UPDATE trade_logs SET epoch = 1 WHERE session_id = {SESSION} AND seq = 3",)),
    Planted("I6", "its trades are 0", (f"DELETE FROM trade_logs WHERE session_id = {SESSION}",)),
    Planted("I6", "has 0 days of equity", (f"DELETE FROM bot_equity_curve WHERE session_id = {SESSION}",)),
    Planted("I6", "(0 to 2)", (f"UPDATE bot_equity_curve SET epoch = 2 WHERE session_id = {SESSION} AND seq = 3",)),
    Planted(
        "I7",
        "is in PAPER, its stage events end in LAB",
        (f"UPDATE bots SET stage = 'PAPER' WHERE id = {_bot('done')}",),
    ),
    Planted("I7", "its stage events end in None", (f"DELETE FROM bot_stage_events WHERE {OF_DONE}",)),
    Planted("I7", "was created 0 times", (f"DELETE FROM bot_stage_events WHERE {OF_DONE}",)),
    Planted("I7", "was created 2 times", (copied("bot_stage_events", OF_DONE, id="gen_random_uuid()"),)),
    Planted(
        "I7",
        "from CANARY to LIVE after LAB",
        (
            copied(
                "bot_stage_events",
                OF_DONE,
                id="gen_random_uuid()",
                event_type="'PROMOTED'",
                from_stage="'CANARY'",
                to_stage="'LIVE'",
                created_at="now()",
            ),
            f"UPDATE bots SET stage = 'LIVE' WHERE id = {_bot('done')}",
        ),
    ),
    Planted(
        "I7",
        "from LAB to LIVE after LAB",
        (
            copied(
                "bot_stage_events",
                OF_DONE,
                id="gen_random_uuid()",
                event_type="'PROMOTED'",
                from_stage="'LAB'",
                to_stage="'LIVE'",
                created_at="now()",
            ),
            f"UPDATE bots SET stage = 'LIVE' WHERE id = {_bot('done')}",
        ),
    ),
    Planted("I8", "changes of trade_logs", ("DROP TRIGGER insert_only ON trade_logs",)),
    Planted("I8", "changes of backtest_sessions", ("ALTER TABLE backtest_sessions DISABLE TRIGGER insert_only",)),
    Planted("I9", "its BACKTEST epoch is 0", (f"UPDATE bot_metrics_rollups SET epoch = 1 WHERE {OF_DONE}",)),
    Planted(
        "I9",
        "is newer",
        (
            "UPDATE bot_metrics_rollups SET session_id = (SELECT s.id FROM backtest_sessions s "
            f"WHERE s.{OF_DONE} AND s.status = 'COMPLETED' ORDER BY s.completed_at LIMIT 1) WHERE {OF_DONE}",
        ),
    ),
    Planted("ROLLUPS", "net_pnl is", (f"UPDATE bot_metrics_rollups SET net_pnl = net_pnl + 0.01 WHERE {OF_DONE}",)),
    Planted("ROLLUPS", "sharpe is", (f"UPDATE bot_metrics_rollups SET sharpe = 9 WHERE {OF_DONE}",)),
    Planted(
        "ROLLUPS", "profit_factor is None", (f"UPDATE bot_metrics_rollups SET profit_factor = NULL WHERE {OF_DONE}",)
    ),
    Planted(
        "ROLLUPS", "max_drawdown_usd is", (f"UPDATE bot_metrics_rollups SET max_drawdown_usd = 0 WHERE {OF_DONE}",)
    ),
    Planted(
        "ROLLUPS",
        "epoch is 0, raw rows say None",
        (f"UPDATE bot_metrics_rollups SET session_id = NULL WHERE {OF_DONE}",),
    ),
)
