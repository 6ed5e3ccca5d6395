"""Materializations of `improvements`: the events Dagster gets after one, from any caller; old and new side by side."""

import json
from collections.abc import Iterable
from typing import Any, Final

from dagster import AssetKey, AssetMaterialization, MetadataValue, TableColumn, TableRecord, TableSchema

from assets.bot_metadata import Metadata
from assets.partitions import keys_of
from services.code_version import code_version
from services.improve.read import ImprovementView, SetFigures, improvements_of_jobs
from services.improve.run import ImprovedBot
from sql.engine import Transactions

IMPROVEMENTS: Final = AssetKey("improvements")
_FOLDS: Final = TableSchema(
    [
        TableColumn("fold", "int"),
        TableColumn("winner", "string"),
        TableColumn("in_sharpe", "float"),
        TableColumn("out_trades", "int"),
        TableColumn("out_net_usd", "float"),
        TableColumn("incumbent_out_net_usd", "float"),
    ]
)
_CHECKS: Final = TableSchema(
    [
        TableColumn("check", "string"),
        TableColumn("observed", "float"),
        TableColumn("limit", "float"),
        TableColumn("passed", "bool"),
    ]
)
_BESIDE: Final = TableSchema(
    [
        TableColumn("which", "string"),
        TableColumn("net_usd", "float"),
        TableColumn("out_net_usd", "float"),
        TableColumn("unseen_net_usd", "float"),
        TableColumn("sharpe", "float"),
        TableColumn("trades", "int"),
    ]
)


def improvements_made(tx: Transactions, bots: Iterable[ImprovedBot]) -> list[AssetMaterialization]:
    """Return an event for each that came to a verdict, read from its stored row."""
    job_ids = [bot.job_id for bot in bots if bot.verdict is not None and bot.job_id is not None]
    with tx() as session:
        views = improvements_of_jobs(session, job_ids).values()
    keys = keys_of(tx, [view.bot_id for view in views])
    return [_made(view, keys[view.bot_id]) for view in views]


def _made(view: ImprovementView, key: str) -> AssetMaterialization:
    tags = {"dagster/code_version": code_version(), "dagster/data_version": str(view.id)}
    return AssetMaterialization(IMPROVEMENTS, partition=key, metadata=_metadata(view), tags=tags)


def _metadata(view: ImprovementView) -> Metadata:
    evidence, old, new = view.evidence, view.old, view.new
    made: Metadata = {
        "verdict": MetadataValue.text(view.verdict),
        "reason": MetadataValue.text(view.reason_code),
        "job_type": MetadataValue.text(view.job_type),
        "source": MetadataValue.text(view.source),
        "adopted": MetadataValue.int(int(view.version_id is not None)),
        "sets_tried": MetadataValue.int(view.sets_tried),
        "old_net_usd": MetadataValue.float(float(old.net_usd)),
        "new_net_usd": MetadataValue.float(float(new.net_usd)),
        "side_by_side": MetadataValue.table([_beside("old", old), _beside("new", new)], schema=_BESIDE),
        "folds": MetadataValue.table(
            [_fold(number, fold) for number, fold in enumerate(evidence["folds"], start=1)], schema=_FOLDS
        ),
        "checks": MetadataValue.table([_check(check) for check in evidence["checks"]], schema=_CHECKS),
        "candidate": MetadataValue.json(view.candidate or {}),
        "data_label": MetadataValue.text(view.data_label),
        "bars_hash": MetadataValue.text(view.bars_hash),
        "improvement_id": MetadataValue.text(str(view.id)),
        "job_id": MetadataValue.text(str(view.job_id)),
        "base_version_id": MetadataValue.text(str(view.base_version_id)),
        "version_id": MetadataValue.text(str(view.version_id or "none")),
        "trace_id": MetadataValue.text(view.trace_id),
    }
    for name, ratio in (("old_sharpe", old.sharpe), ("new_sharpe", new.sharpe)):
        if ratio is not None:
            made[name] = MetadataValue.float(ratio)
    return made


def _beside(which: str, figures: SetFigures) -> TableRecord:
    values: dict[str, Any] = {
        "which": which,
        "net_usd": float(figures.net_usd),
        "out_net_usd": float(figures.out_net_usd),
        "unseen_net_usd": float(figures.unseen_net_usd),
        "sharpe": figures.sharpe,
        "trades": figures.trades,
    }
    return TableRecord(values)


def _fold(number: int, fold: dict[str, Any]) -> TableRecord:
    values: dict[str, Any] = {
        "fold": number,
        "winner": json.dumps(fold["winner"]),
        "in_sharpe": fold["in_sharpe"],
        "out_trades": fold["out_trades"],
        "out_net_usd": float(fold["out_net_usd"]),
        "incumbent_out_net_usd": float(fold["incumbent_out_net_usd"]),
    }
    return TableRecord(values)


def _check(check: dict[str, Any]) -> TableRecord:
    values: dict[str, Any] = {
        "check": check["reason_code"],
        "observed": _number(check["observed"]),
        "limit": _number(check["limit"]),
        "passed": check["passed"],
    }
    return TableRecord(values)


def _number(value: str | float | None) -> float | None:
    """Money is text in the evidence, a number in Dagster's table."""
    return None if value is None else float(value)
