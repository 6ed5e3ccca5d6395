"""What each error code means, in one sentence; docs/generated/error-codes.md is written from it."""

from typing import Final

from core.errors import ErrorCode

MEANINGS: Final[dict[ErrorCode, str]] = {
    ErrorCode.INTEGRATION_KEY_MISSING: "A provider is needed and its key is not in the environment.",
    ErrorCode.INTEGRATION_VERIFY_FAILED: "The provider rejected the key.",
    ErrorCode.PROVIDER_TIMEOUT: "A provider didn't answer within the deadline.",
    ErrorCode.PROVIDER_RATE_LIMITED: "A provider refuses more calls for the moment.",
    ErrorCode.PROVIDER_BAD_RESPONSE: "A provider sent a response that doesn't match its documentation.",
    ErrorCode.PROVIDER_ENTITLEMENT: "The provider's account doesn't include what was requested.",
    ErrorCode.DATA_UNAVAILABLE: "The requested bars don't exist here and no provider could supply them.",
    ErrorCode.DATA_QUALITY_FAILED: "Bars failed a check, so they can't be used for a backtest; they were not kept.",
    ErrorCode.EXECUTION_BROKER_UNAVAILABLE: "No broker is connected, so no order can be sent.",
    ErrorCode.LIVE_TRADING_DISABLED: "Trading is switched off.",
    ErrorCode.RISK_ENGINE_DISCONNECTED: "The risk engine doesn't answer, so no order can be sent.",
    ErrorCode.CIRCUIT_BREAKER_OPEN: "Three failures in thirty minutes opened the breaker.",
    ErrorCode.STAGE_LOCKED: "The bot's stage is locked until a stated time.",
    ErrorCode.PROMOTION_MANUAL: "Only a person may promote this bot.",
    ErrorCode.GATE_NOT_MET: "Evidence for a promotion is missing or below its limit.",
    ErrorCode.HEARTBEAT_TIMEOUT: "The worker that held the job stopped renewing its lease.",
    ErrorCode.JOB_TIMEOUT: "The job ran longer than its maximum.",
    ErrorCode.RUN_FAILED: "The orchestrator's run failed for a reason outside the job.",
    ErrorCode.STRATEGY_ERROR: "The strategy raised, or decided something impossible.",
    ErrorCode.LOOK_AHEAD: "The strategy reads later bars than the one it decides at, so its figures prove nothing.",
    ErrorCode.CONFLICT: "The request contradicts the present state.",
    ErrorCode.NOT_FOUND: "Nothing has that id or path.",
    ErrorCode.NOT_IMPLEMENTED: "The route is part of the contract but has no data source yet.",
    ErrorCode.VALIDATION_FAILED: "The input is malformed, out of bounds or contradictory.",
    ErrorCode.PAYLOAD_TOO_LARGE: "The body is larger than 1 MiB.",
    ErrorCode.METHOD_NOT_ALLOWED: "The path exists, but not for that method.",
    ErrorCode.UNAUTHENTICATED: "No valid session or token came with the request.",
    ErrorCode.FORBIDDEN: "The caller may not do this.",
    ErrorCode.RATE_LIMITED: "Too many requests; the answer says when to come back.",
    ErrorCode.INVALID_CREDENTIALS: "Address or password is wrong.",
    ErrorCode.TWO_FACTOR_REQUIRED: "A second factor is needed to go on.",
    ErrorCode.TWO_FACTOR_INVALID: "The second factor's code is wrong, used or expired.",
    ErrorCode.DATABASE_UNAVAILABLE: "Postgres can't be reached, or its connections are exhausted.",
    ErrorCode.ENVIRONMENT_INVALID: "This machine or its settings can't run Gantry as they are.",
    ErrorCode.INTERNAL: "A defect in Gantry; the trace id finds it in the log.",
}
