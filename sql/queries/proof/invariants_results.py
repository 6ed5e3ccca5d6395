"""What must always hold of results: sessions, trades, equity, and the rollups made of them."""

from typing import Final

from sql.queries.proof.invariants import Rule

RULES: Final = (
    Rule(
        "I2",
        "session {session_id} is {status}, its job {job_id} is {job_status} and points at {points_at}",
        """
        SELECT s.id AS session_id, s.job_id, s.status, j.status AS job_status, j.session_id AS points_at
        FROM backtest_sessions s JOIN bot_jobs j ON j.id = s.job_id
        WHERE s.status <> j.status OR (s.status = 'COMPLETED' AND j.session_id IS DISTINCT FROM s.id)
        """,
    ),
    Rule(
        "I2",
        "job {job_id} is COMPLETED without a COMPLETED session of its bot",
        """
        SELECT j.id AS job_id, j.bot_id, j.session_id FROM bot_jobs j
        LEFT JOIN backtest_sessions s ON s.id = j.session_id AND s.bot_id = j.bot_id AND s.status = 'COMPLETED'
        WHERE j.status = 'COMPLETED' AND j.job_type = 'BACKTEST' AND s.id IS NULL
        """,
    ),
    Rule(
        "I5",
        "session {session_id} was written for job {job_id}, which was {job_status}",
        """
        SELECT s.id AS session_id, s.job_id, j.status AS job_status,
               (SELECT count(*) FROM trade_logs t WHERE t.session_id = s.id) AS trades
        FROM backtest_sessions s JOIN bot_jobs j ON j.id = s.job_id WHERE j.status IN ('TIMEOUT', 'CANCELED')
        """,
    ),
    Rule(
        "I5",
        "session {session_id} isn't of its job {job_id}: epoch {epoch} and {job_epoch}, or another bot or version",
        """
        SELECT s.id AS session_id, s.job_id, s.epoch, j.epoch AS job_epoch
        FROM backtest_sessions s JOIN bot_jobs j ON j.id = s.job_id
        WHERE (s.epoch, s.bot_id, s.version_id) IS DISTINCT FROM (j.epoch, j.bot_id, j.version_id)
        """,
    ),
    *(
        Rule(
            "I5",
            f"{{rows}} rows of {table} have no COMPLETED session {{session_id}}",
            f"""
            SELECT session_id, bot_id, count(*) AS rows FROM {table} r WHERE source = 'BACKTEST' AND NOT EXISTS
              (SELECT FROM backtest_sessions s WHERE s.id = r.session_id AND s.status = 'COMPLETED')
            GROUP BY session_id, bot_id
            """,  # noqa: S608 - constants alone
        )
        for table in ("trade_logs", "bot_equity_curve")
    ),
    Rule(
        "I6",
        "session {session_id} says {total_trades} trades and net {net_pnl}, its trades are {trades} and net {sum}",
        """
        WITH sums AS (
          SELECT session_id, count(*) AS trades, sum(net_pnl) AS net, sum(gross_pnl) AS gross,
                 sum(commission) AS commission, max(seq) AS last, min(epoch) AS low, max(epoch) AS high
          FROM trade_logs GROUP BY session_id
        )
        SELECT s.id AS session_id, s.bot_id, s.total_trades, s.net_pnl, coalesce(t.trades, 0) AS trades,
               coalesce(t.net, 0) AS sum, t.low AS lowest_epoch, t.high AS highest_epoch
        FROM backtest_sessions s LEFT JOIN sums t ON t.session_id = s.id
        WHERE s.status = 'COMPLETED' AND (
          (s.total_trades, s.net_pnl, s.gross_pnl, s.commission) IS DISTINCT FROM
          (coalesce(t.trades, 0), coalesce(t.net, 0), coalesce(t.gross, 0), coalesce(t.commission, 0))
          OR t.last + 1 <> t.trades OR t.low <> s.epoch OR t.high <> s.epoch)
        """,
    ),
    Rule(
        "I6",
        "session {session_id} of {bars_count} bars and epoch {epoch} has {days} days of equity ({lowest_epoch} to "
        "{highest_epoch})",
        """
        WITH days AS (
          SELECT session_id, count(*) AS days, max(seq) AS last, min(epoch) AS low, max(epoch) AS high
          FROM bot_equity_curve GROUP BY session_id
        )
        SELECT s.id AS session_id, s.bot_id, s.bars_count, s.epoch, coalesce(d.days, 0) AS days,
               d.low AS lowest_epoch, d.high AS highest_epoch
        FROM backtest_sessions s LEFT JOIN days d ON d.session_id = s.id
        WHERE s.status = 'COMPLETED' AND ((s.bars_count > 0 AND d.days IS NULL)
          OR d.last + 1 <> d.days OR d.low <> s.epoch OR d.high <> s.epoch)
        """,
    ),
    Rule(
        "I8",
        "nothing refuses changes of {table_name}",
        """
        SELECT t.table_name FROM unnest(ARRAY['backtest_sessions', 'trade_logs', 'bot_equity_curve']) t (table_name)
        WHERE NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = to_regclass('public.' || t.table_name)
                          AND g.tgname = 'insert_only' AND g.tgenabled = 'O')
        """,
    ),
    # Written out on purpose: what is checked here is `sql.queries.current`.
    Rule(
        "I9",
        "metrics of bot {bot_id} are of epoch {epoch}, and its {source} epoch is {present}",
        """
        SELECT r.bot_id, r.source, r.epoch, o.epoch AS present FROM bot_metrics_rollups r
        JOIN bot_boundaries o ON o.bot_id = r.bot_id AND o.source = r.source WHERE r.epoch > o.epoch
        """,
    ),
    Rule(
        "I9",
        "metrics of bot {bot_id} are those of session {session_id}, {newest} is newer",
        """
        SELECT r.bot_id, r.session_id, n.id AS newest FROM bot_metrics_rollups r
        JOIN bots b ON b.id = r.bot_id JOIN backtest_sessions s ON s.id = r.session_id
        JOIN bot_boundaries o ON o.bot_id = r.bot_id AND o.source = r.source AND o.epoch = r.epoch
        JOIN LATERAL (SELECT id FROM backtest_sessions WHERE bot_id = b.id AND version_id = b.current_version_id
                      AND epoch = o.epoch AND status = 'COMPLETED'
                      ORDER BY completed_at DESC, id DESC LIMIT 1) n ON true
        WHERE r.source = 'BACKTEST' AND s.version_id = b.current_version_id AND n.id <> r.session_id
        """,
    ),
)

# Each BACKTEST rollup beside what its session's raw rows say; the ratios are computed by `trading.metrics`.
ROLLUPS: Final = """
    SELECT r.bot_id, r.session_id, r.epoch, r.total_trades, r.wins, r.net_pnl, r.open_pnl,
           r.gross_profit, r.gross_loss,
           r.max_drawdown_usd, r.max_drawdown_fraction, r.sharpe, r.profit_factor,
           s.epoch AS raw_epoch, t.total_trades AS raw_total_trades, t.wins AS raw_wins, t.net_pnl AS raw_net_pnl,
           t.gross_profit AS raw_gross_profit, t.gross_loss AS raw_gross_loss,
           d.max_drawdown_usd AS raw_max_drawdown_usd, d.closings_e4
    FROM bot_metrics_rollups r
    LEFT JOIN backtest_sessions s ON s.id = r.session_id AND s.bot_id = r.bot_id AND s.status = 'COMPLETED'
    LEFT JOIN LATERAL (
      SELECT count(*) AS total_trades, count(*) FILTER (WHERE net_pnl > 0) AS wins,
             coalesce(sum(net_pnl), 0) AS net_pnl,
             coalesce(sum(net_pnl) FILTER (WHERE net_pnl > 0), 0) AS gross_profit,
             coalesce(sum(net_pnl) FILTER (WHERE net_pnl < 0), 0) AS gross_loss
      FROM trade_logs WHERE session_id = r.session_id
    ) t ON true
    LEFT JOIN LATERAL (
      SELECT coalesce(max(drawdown_usd), 0) AS max_drawdown_usd,
             coalesce(array_agg((equity_usd * 10000)::bigint ORDER BY seq), '{}') AS closings_e4
      FROM bot_equity_curve WHERE session_id = r.session_id
    ) d ON true
    WHERE r.source = 'BACKTEST'
"""
