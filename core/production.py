"""What production must have before anything starts: fail closed, and name everything that is missing at once."""

from core.errors import ErrorCode, FieldProblem, GantryError
from core.settings import DEFAULT_ADMIN_TOKEN, AppEnv, Settings

SHORTEST_TOKEN_BYTES = 32


def refuse_unsafe_production(settings: Settings) -> None:
    """Check the settings of a production; development passes.

    Raises:
        GantryError: ENVIRONMENT_INVALID with one detail per variable.

    """
    if settings.app_env is not AppEnv.PRODUCTION:
        return
    token = settings.admin_token.get_secret_value()
    wrong = {
        "ADMIN_TOKEN": token == DEFAULT_ADMIN_TOKEN or len(token.encode()) < SHORTEST_TOKEN_BYTES,
        "APP_ENC_KEY": settings.app_enc_key is None or not settings.app_enc_key.get_secret_value(),
        "DATABASE_URL": not settings.database_url,
        "GANTRY_DATA_PROVIDER": settings.gantry_data_provider == "simulator",
    }
    rules = {
        "ADMIN_TOKEN": f"must be your own, of {SHORTEST_TOKEN_BYTES} bytes or more",
        "APP_ENC_KEY": "must be set",
        "DATABASE_URL": "must name a Postgres of your own",
        "GANTRY_DATA_PROVIDER": "must not be the simulator",
    }
    problems = tuple(FieldProblem(name, "unsafe", f"{name} {rules[name]}.") for name, bad in wrong.items() if bad)
    if problems:
        raise GantryError(
            ErrorCode.ENVIRONMENT_INVALID,
            "APP_ENV=production refuses to start: " + " ".join(problem.message for problem in problems),
            fix="Set those variables, or use APP_ENV=development on your own machine.",
            details=problems,
        )
