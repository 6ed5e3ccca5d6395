"""What a list shows of each bot, as SQL: its state, its alerts, its label and tier, and what it is sorted by.

`services.bots.read` says the same of bots that were read, one page at a time. To filter and sort the whole fleet the
database has to know it too; a test holds the two together.
"""

from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Float,
    SQLColumnExpression,
    and_,
    case,
    cast,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from fleet.bot_filter import BotSort
from fleet.bot_now import STATE_OF_JOB, AlertCode, AlertLevel
from fleet.closed_sets import BotState, DataLabel, JobStatus
from fleet.jobs import RETRYABLE
from fleet.stages import ORDER
from sql.queries import current
from sql.queries.paging import AnySelect
from sql.tables.bots import Bot, BotBoundary, BotVersion
from sql.tables.jobs import BotJob
from sql.tables.results import BacktestSession
from sql.tables.standing import AutonomyScore, MetricsRollup

_NEWEST_JOB: Final = aliased(
    BotJob,
    select(BotJob)
    .where(BotJob.bot_id == Bot.id)
    .order_by(BotJob.created_at.desc(), BotJob.id.desc())
    .limit(1)
    .correlate(Bot)
    .lateral("newest_job"),
)
_FAILED: Final = _NEWEST_JOB.status.in_([JobStatus.FAILED, JobStatus.TIMEOUT])
_ENDED_AS: Final = func.coalesce(_NEWEST_JOB.error_code, _NEWEST_JOB.status)

label: Final = BacktestSession.data_label


def present(column: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """Return a rollup's column where the rollup counts: a completed session of the current version has a label."""
    return case((label.is_not(None), column))


_SCORED: Final = AutonomyScore.session_id.is_not_distinct_from(present(MetricsRollup.session_id))
tier: Final[ColumnElement[str | None]] = case((_SCORED, AutonomyScore.autonomy_tier))
lock: Final[ColumnElement[str | None]] = case((_SCORED, AutonomyScore.locked_by))
failure: Final[ColumnElement[str | None]] = case(
    (and_(_FAILED, _ENDED_AS.in_([reason.value for reason in RETRYABLE])), AlertCode.RETRIES_EXHAUSTED.value),
    (_FAILED, _ENDED_AS),
)
state: Final[ColumnElement[str]] = case(
    *(
        (and_(_NEWEST_JOB.job_type == job_type, _NEWEST_JOB.status == status), busy.value)
        for (job_type, status), busy in STATE_OF_JOB.items()
    ),
    (or_(_FAILED, lock.is_not(None)), BotState.BLOCKED.value),
    else_=BotState.IDLE.value,
)
net_pnl: Final = present(MetricsRollup.net_pnl)


def counting(figure: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a result, null for bots that a guard disqualified: no order may put them above an honest one."""
    return case((lock.is_(None), figure))


_WIN_RATE: Final = cast(MetricsRollup.wins, Float) / func.nullif(MetricsRollup.total_trades, 0)
KEYS: Final[dict[BotSort, ColumnElement[Any]]] = {
    BotSort.CREATED_AT: Bot.created_at.expression,
    BotSort.NAME: Bot.name.expression,
    BotSort.SYMBOL: Bot.symbol.expression,
    BotSort.STRATEGY: BotVersion.strategy.expression,
    BotSort.STAGE: case({stage.value: place for place, stage in enumerate(ORDER)}, value=Bot.stage),
    BotSort.STATE: state,
    BotSort.TOTAL_TRADES: present(MetricsRollup.total_trades),
    BotSort.NET_PNL: counting(net_pnl),
    BotSort.WIN_RATE: counting(present(_WIN_RATE)),
    BotSort.MAX_DRAWDOWN_USD: counting(present(MetricsRollup.max_drawdown_usd)),
    BotSort.SHARPE: counting(present(MetricsRollup.sharpe)),
    BotSort.PROFIT_FACTOR: counting(present(MetricsRollup.profit_factor)),
    BotSort.AUTONOMY_SCORE: counting(case((_SCORED, AutonomyScore.autonomy_score))),
    BotSort.DATA_LABEL: label.expression,
}
# These no bot is without.
ALWAYS: Final = frozenset(list(BotSort)[: list(BotSort).index(BotSort.TOTAL_TRADES)])
OF_VERSION: Final = frozenset({BotSort.STRATEGY})
OF_JOB: Final = frozenset({BotSort.STATE})
OF_STANDING: Final = frozenset(BotSort) - ALWAYS | {BotSort.STATE}


def has_alert(wanted: BindParameter[str]) -> ColumnElement[bool]:
    """Match bots with an alert of this level or code."""
    simulated = and_(label == DataLabel.SIMULATED, wanted.in_([AlertCode.SIMULATED_DATA, AlertLevel.WARN]))
    blocked = [and_(code.is_not(None), or_(wanted == AlertLevel.BLOCKED, wanted == code)) for code in (lock, failure)]
    return func.coalesce(or_(simulated, *blocked), false())


def with_version(query: AnySelect) -> AnySelect:
    """Join each bot's current version."""
    return query.join(BotVersion, current.version_of(Bot))


def with_job(query: AnySelect) -> AnySelect:
    """Join each bot's newest job, where it has one."""
    return query.outerjoin(_NEWEST_JOB, true())


def with_standing(query: AnySelect) -> AnySelect:
    """Join what each bot has standing: its rollup, the session behind it and its score."""
    return (
        query.join(BotBoundary, current.boundary_of(Bot.id))
        .outerjoin(MetricsRollup, current.of_current_epoch(MetricsRollup))
        .outerjoin(BacktestSession, current.behind_rollup(Bot))
        .outerjoin(AutonomyScore, AutonomyScore.bot_id == Bot.id)
    )
