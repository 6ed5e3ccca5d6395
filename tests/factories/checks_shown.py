"""What Dagster's UI shows of an asset check, asked as its web server asks."""

import asyncio

from dagster import AssetCheckEvaluation, AssetCheckKey, DagsterInstance

from tests.factories.dagster_private import AssetCheckExecutionRecord, LoadingContextForTest


def shown(instance: DagsterInstance, key: AssetCheckKey) -> AssetCheckEvaluation | None:
    """Return the evaluation that is shown; None where the check counts as not evaluated."""

    async def asked() -> AssetCheckEvaluation | None:
        context = LoadingContextForTest(instance)
        record = await AssetCheckExecutionRecord.gen(context, key)
        if record is None or not await record.targets_latest_materialization(context):
            return None
        found = record.evaluation
        return found if isinstance(found, AssetCheckEvaluation) else None

    return asyncio.run(asked())
