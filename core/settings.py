"""Every environment variable Gantry reads, in one class; docs/generated/environment.md is written from it."""

from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_ADMIN_TOKEN = "dev-admin-secret"  # noqa: S105 - known to all on purpose; production refuses it


class AppEnv(StrEnum):
    """Development binds loopback and allows the simulator; production refuses both."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Gantry's settings, read from the environment by exact name."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True, populate_by_name=True)

    app_env: AppEnv = Field(AppEnv.DEVELOPMENT, alias="APP_ENV", description="development or production.")
    gantry_home: Path = Field(
        ROOT / ".gantry",
        alias="GANTRY_HOME",
        description="Folder for everything written: database, bars, logs, caches.",
    )
    database_url: str | None = Field(
        None,
        alias="DATABASE_URL",
        description="A Postgres (16 or newer) to use instead of the embedded one: postgresql://owner:...@host/db.",
        repr=False,
    )
    gantry_port: int = Field(5000, ge=1, le=65535, alias="GANTRY_PORT", description="Port of the API and the screens.")
    gantry_dagster_port: int = Field(
        3000, ge=1, le=65535, alias="GANTRY_DAGSTER_PORT", description="Port of the Dagster UI."
    )
    gantry_pg_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        alias="GANTRY_PG_PORT",
        description="Port of the embedded Postgres; a free one is picked when unset.",
    )
    gantry_data_provider: str | None = Field(
        None,
        alias="GANTRY_DATA_PROVIDER",
        description=(
            "Provider of historical bars: databento, polygon, files or simulator. "
            "Unset: a vendor whose key is present, else the simulator, labelled SIMULATED."
        ),
    )
    databento_api_key: SecretStr | None = Field(
        None,
        alias="DATABENTO_API_KEY",
        description="Key of Databento, the primary source of CME futures bars.",
    )
    polygon_api_key: SecretStr | None = Field(
        None, alias="POLYGON_API_KEY", description="Key of Polygon (now Massive), the backup source of bars."
    )
    massive_api_key: SecretStr | None = Field(
        None,
        alias="MASSIVE_API_KEY",
        description="The same key under Polygon's new name; POLYGON_API_KEY takes precedence.",
    )
    databento_base_url: str | None = Field(
        None, alias="DATABENTO_BASE_URL", description="Base URL for Databento, instead of its own."
    )
    polygon_base_url: str | None = Field(
        None, alias="POLYGON_BASE_URL", description="Base URL for Polygon, instead of its own."
    )
    databento_calls_per_minute: float = Field(
        600,
        gt=0,
        alias="DATABENTO_CALLS_PER_MINUTE",
        description="Calls to Databento per minute, all processes together.",
    )
    polygon_calls_per_minute: float = Field(
        300,
        gt=0,
        alias="POLYGON_CALLS_PER_MINUTE",
        description="Calls to Polygon per minute, all processes together; 5 on its basic plan.",
    )
    provider_deadline_seconds: float = Field(
        60,
        gt=0,
        alias="PROVIDER_DEADLINE_SECONDS",
        description="Time limit of a provider call, retries included, seconds.",
    )
    history_months: int = Field(
        12,
        ge=1,
        le=240,
        alias="HISTORY_MONTHS",
        description="Full months of bars that are fetched for a bot whose window is open.",
    )
    max_fetch_cost_usd: float = Field(
        25,
        ge=0,
        alias="MAX_FETCH_COST_USD",
        description="A fetch that costs more must be started by hand (gantry bars fetch), USD.",
    )
    min_sessions_for_grading: int = Field(
        20,
        ge=1,
        alias="MIN_SESSIONS_FOR_GRADING",
        description="Sessions of real bars from which on a symbol's bots are graded on them, not on simulated ones.",
    )
    admin_token: SecretStr = Field(
        SecretStr(DEFAULT_ADMIN_TOKEN), alias="ADMIN_TOKEN", description="Token of X-Admin-Token."
    )
    app_enc_key: SecretStr | None = Field(
        None,
        alias="APP_ENC_KEY",
        description="Key that encrypts secrets at rest; production doesn't start without it.",
    )
    lease_seconds: int = Field(
        30, ge=1, alias="LEASE_SECONDS", description="A job's lease without a heartbeat, seconds."
    )
    heartbeat_seconds: int = Field(
        10, ge=1, alias="HEARTBEAT_SECONDS", description="Time between two heartbeats of a job, seconds."
    )
    max_backtests_running: int = Field(
        3, ge=0, alias="MAX_BACKTESTS_RUNNING", description="Backtests that may run at once, in the whole fleet."
    )
    max_improve_running: int = Field(
        2, ge=0, alias="MAX_IMPROVE_RUNNING", description="Improvements (IMPROVE and EVOLVE) that may run at once."
    )
    max_total_jobs: int = Field(6, ge=0, alias="MAX_TOTAL_JOBS", description="Jobs of all types that may run at once.")
    max_running_per_symbol: int | None = Field(
        None, ge=0, alias="MAX_RUNNING_PER_SYMBOL", description="Jobs of one symbol that may run at once; unset: any."
    )
    planner_tick_seconds: int = Field(
        10, ge=1, alias="PLANNER_TICK_SECONDS", description="Time between two planner ticks, seconds."
    )
    baseline_max_age_hours: float = Field(
        6, gt=0, alias="BASELINE_MAX_AGE_HOURS", description="A baseline older than this is refreshed, hours."
    )
    min_trades_for_improve: int = Field(
        30, ge=0, alias="MIN_TRADES_FOR_IMPROVE", description="Trades a baseline needs before it is improved."
    )
    improve_cadence_minutes: float = Field(
        60, gt=0, alias="IMPROVE_CADENCE_MINUTES", description="Time between two improvements of one bot, minutes."
    )
    evolve_after_rounds: int = Field(
        3,
        ge=1,
        alias="EVOLVE_AFTER_ROUNDS",
        description="Improvements without an adopted version before a bot is evolved.",
    )
    improve_sets: int = Field(
        200, ge=2, le=10_000, alias="IMPROVE_SETS", description="Parameter sets that one improvement tries."
    )
    improve_folds: int = Field(
        5, ge=1, le=50, alias="IMPROVE_FOLDS", description="Walk-forward folds of one improvement."
    )
    max_job_minutes: int = Field(
        30, ge=1, alias="MAX_JOB_MINUTES", description="A job that runs longer ends with JOB_TIMEOUT, minutes."
    )
    max_workers: int = Field(2, ge=1, alias="MAX_WORKERS", description="Worker runs for backtests at once.")
    max_attempts: int = Field(
        3, ge=1, alias="MAX_ATTEMPTS", description="Attempts at one job before it needs a person."
    )

    def text_of(self, variable: str) -> str | None:
        """Return what an environment variable holds, as it is; None when it is unset or blank.

        Raises:
            KeyError: no setting reads that variable.

        """
        value = getattr(self, _fields_by_variable()[variable])
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        return str(text) if text is not None and str(text).strip() else None


@lru_cache(maxsize=1)
def _fields_by_variable() -> dict[str, str]:
    return {str(spec.alias): name for name, spec in Settings.model_fields.items()}


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the process's settings, read once."""
    return Settings()
