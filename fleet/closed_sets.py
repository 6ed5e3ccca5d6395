"""Closed sets of the fleet: each one enum here, one CHECK in SQL, one table in docs/generated/closed-sets.md."""

from enum import StrEnum


class Stage(StrEnum):
    """Where a bot stands on its way to real money."""

    LAB = "LAB"
    PAPER = "PAPER"
    SHADOW = "SHADOW"
    CANARY = "CANARY"
    LIVE = "LIVE"


class PromotionMode(StrEnum):
    """Who may promote: AUTO the gates by themselves, MANUAL a person only."""

    AUTO = "AUTO"
    MANUAL = "MANUAL"


class JobType(StrEnum):
    """What a job does to a bot."""

    BACKTEST = "BACKTEST"
    IMPROVE = "IMPROVE"
    EVOLVE = "EVOLVE"


class BacktestKind(StrEnum):
    """Why a backtest is run."""

    BASELINE = "BASELINE"
    REFRESH = "REFRESH"
    MANUAL = "MANUAL"


class JobStatus(StrEnum):
    """State of a job; see `fleet.jobs` for the transitions."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMEOUT = "TIMEOUT"
    CANCELED = "CANCELED"


class NotEnqueued(StrEnum):
    """Why a tick gave a bot no job; the last two are for a promotion that was due."""

    BASELINE_FRESH = "BASELINE_FRESH"
    ACTIVE_JOB_EXISTS = "ACTIVE_JOB_EXISTS"
    BACKOFF = "BACKOFF"
    RETRIES_EXHAUSTED = "RETRIES_EXHAUSTED"
    DATA_UNAVAILABLE = "DATA_UNAVAILABLE"
    TOO_FEW_TRADES = "TOO_FEW_TRADES"
    NOT_ENOUGH_HISTORY = "NOT_ENOUGH_HISTORY"
    CADENCE_NOT_DUE = "CADENCE_NOT_DUE"
    NOT_IN_LAB = "NOT_IN_LAB"
    ARCHIVED = "ARCHIVED"
    STAGE_LOCKED = "STAGE_LOCKED"
    PROMOTION_MANUAL = "PROMOTION_MANUAL"


class NotStarted(StrEnum):
    """Why a job that is QUEUED and due can't start now."""

    CAP_REACHED_GLOBAL = "CAP_REACHED_GLOBAL"
    CAP_REACHED_TYPE = "CAP_REACHED_TYPE"
    CAP_REACHED_SYMBOL = "CAP_REACHED_SYMBOL"
    BARS_PENDING = "BARS_PENDING"


class DueReason(StrEnum):
    """Why a tick planned a job."""

    NO_BASELINE = "NO_BASELINE"
    BASELINE_OLD = "BASELINE_OLD"
    NEW_SESSION = "NEW_SESSION"
    NEW_BARS = "NEW_BARS"
    IMPROVE_DUE = "IMPROVE_DUE"
    EVOLVE_DUE = "EVOLVE_DUE"
    RETRY = "RETRY"


class TickCause(StrEnum):
    """What made the planner look at the fleet."""

    CLOCK = "CLOCK"
    METRICS_RESET = "METRICS_RESET"
    STAGE_CHANGE = "STAGE_CHANGE"
    PERSON = "PERSON"


class ImprovementVerdict(StrEnum):
    """What became of an improvement's candidate."""

    ADOPTED = "ADOPTED"
    REJECTED = "REJECTED"


class CandidateSource(StrEnum):
    """Where an improvement's candidate came from."""

    SWEEP = "SWEEP"
    STRATEGY_SWITCH = "STRATEGY_SWITCH"
    LLM = "LLM"


class SessionStatus(StrEnum):
    """How a backtest session ended; RUNNING lives in bot_jobs alone."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class TradeSource(StrEnum):
    """Where trades come from."""

    BACKTEST = "BACKTEST"
    PAPER = "PAPER"
    SHADOW = "SHADOW"
    CANARY = "CANARY"
    LIVE = "LIVE"


class MetricsScope(StrEnum):
    """Which sources a metrics reset covers."""

    ALL = "ALL"
    BACKTEST_ONLY = "BACKTEST_ONLY"
    PAPER_ONLY = "PAPER_ONLY"
    LIVE_ONLY = "LIVE_ONLY"


class DataLabel(StrEnum):
    """What kind of bars numbers rest on; shown wherever they go."""

    VENDOR = "VENDOR"
    SIMULATED = "SIMULATED"
    IMPORTED = "IMPORTED"


class QualityVerdict(StrEnum):
    """Verdict on a symbol-month of bars: BLOCKED bars never reach a backtest."""

    OK = "OK"
    WARN = "WARN"
    BLOCKED = "BLOCKED"


class ProviderCategory(StrEnum):
    """What a provider is for."""

    MARKET_DATA = "MARKET_DATA"
    ALT_DATA = "ALT_DATA"
    EXECUTION = "EXECUTION"
    LLM = "LLM"
    INFRA = "INFRA"


class CallStatus(StrEnum):
    """How one attempt at calling a provider ended; VERIFY is a check of the key, not a use."""

    OK = "OK"
    ERROR = "ERROR"
    VERIFY = "VERIFY"


class Severity(StrEnum):
    """SEV-1 stops autonomy, SEV-2 degrades it."""

    SEV_1 = "SEV-1"
    SEV_2 = "SEV-2"


class Tier(StrEnum):
    """How much a bot may do by itself, from its autonomy score."""

    LOCKED = "LOCKED"
    SUPERVISED = "SUPERVISED"
    LIMITED_AUTONOMY = "LIMITED_AUTONOMY"
    FULL_AUTONOMY = "FULL_AUTONOMY"


class ActivityEvent(StrEnum):
    """The events of the activity feed."""

    STARTER_PACK_CREATED = "STARTER_PACK_CREATED"
    BOT_CREATED = "BOT_CREATED"
    BOT_CHANGED = "BOT_CHANGED"
    BOT_ARCHIVED = "BOT_ARCHIVED"
    BACKTEST_QUEUED = "BACKTEST_QUEUED"
    BACKTEST_STARTED = "BACKTEST_STARTED"
    BACKTEST_COMPLETED = "BACKTEST_COMPLETED"
    BACKTEST_FAILED = "BACKTEST_FAILED"
    BACKTEST_CANCELED = "BACKTEST_CANCELED"
    IMPROVE_QUEUED = "IMPROVE_QUEUED"
    IMPROVE_STARTED = "IMPROVE_STARTED"
    IMPROVE_COMPLETED = "IMPROVE_COMPLETED"
    IMPROVE_FAILED = "IMPROVE_FAILED"
    IMPROVE_CANCELED = "IMPROVE_CANCELED"
    EVOLVE_QUEUED = "EVOLVE_QUEUED"
    EVOLVE_STARTED = "EVOLVE_STARTED"
    EVOLVE_COMPLETED = "EVOLVE_COMPLETED"
    EVOLVE_FAILED = "EVOLVE_FAILED"
    EVOLVE_CANCELED = "EVOLVE_CANCELED"
    VERSION_ADOPTED = "VERSION_ADOPTED"
    VERSION_REJECTED = "VERSION_REJECTED"
    STAGE_CHANGED = "STAGE_CHANGED"
    METRICS_RESET = "METRICS_RESET"
    REVERTED_TO_LAB = "REVERTED_TO_LAB"


class SystemEvent(StrEnum):
    """What happened to the system rather than to a bot."""

    BARS_IMPORTED = "BARS_IMPORTED"
    BARS_SIMULATED = "BARS_SIMULATED"
    BARS_FETCHED = "BARS_FETCHED"
    BARS_BLOCKED = "BARS_BLOCKED"
    BARS_SESSION_ACCEPTED = "BARS_SESSION_ACCEPTED"
    BARS_JUDGED_AGAIN = "BARS_JUDGED_AGAIN"
    LEASES_REAPED = "LEASES_REAPED"
    LEASES_REARMED = "LEASES_REARMED"
    WORKER_LOST = "WORKER_LOST"
    METRICS_RESET = "METRICS_RESET"
    REVERTED_TO_LAB = "REVERTED_TO_LAB"


class RawCheck(StrEnum):
    """What is wrong with a graded bot whose raw rows were summed again."""

    TRADES_DIFFER = "TRADES_DIFFER"
    METRICS_DIFFER = "METRICS_DIFFER"
    NO_SCORE = "NO_SCORE"


class BotState(StrEnum):
    """`botNow.state`: what a bot is doing at this moment."""

    IDLE = "IDLE"
    BACKTEST_QUEUED = "BACKTEST_QUEUED"
    BACKTEST_RUNNING = "BACKTEST_RUNNING"
    IMPROVING_QUEUED = "IMPROVING_QUEUED"
    IMPROVING_RUNNING = "IMPROVING_RUNNING"
    EVOLVING_QUEUED = "EVOLVING_QUEUED"
    EVOLVING_RUNNING = "EVOLVING_RUNNING"
    RUNNER_STARTING = "RUNNER_STARTING"
    RUNNER_RUNNING = "RUNNER_RUNNING"
    RUNNER_STOPPED = "RUNNER_STOPPED"
    BLOCKED = "BLOCKED"
