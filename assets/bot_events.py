"""Materializations of one bot: the events Dagster gets after a backtest, from any caller."""

from collections.abc import Collection, Iterator
from typing import Final

from dagster import AssetKey, AssetMaterialization

from assets.bot_checks import BASELINES, ROLLUPS, SCORES
from assets.bot_metadata import Metadata, backtest_metadata, rollup_metadata, score_metadata
from assets.standing import BotRecord, Curve, SessionFacts
from services.code_version import code_version

OF_A_BOT: Final = frozenset({BASELINES, ROLLUPS, SCORES})


def made_of(standing: BotRecord, selected: Collection[AssetKey], curve: Curve | None) -> Iterator[AssetMaterialization]:
    """Yield what was made of one bot, of the selected assets; without a session there is a score only."""
    session = standing.session
    if session is not None and BASELINES in selected:
        yield _made(BASELINES, standing, session, backtest_metadata(standing, session, curve))
    if session is not None and ROLLUPS in selected:
        yield _made(ROLLUPS, standing, session, rollup_metadata(standing, session))
    if SCORES in selected and standing.bot.autonomy_score is not None:
        yield _made(SCORES, standing, session, score_metadata(standing))


def _made(
    asset: AssetKey, standing: BotRecord, session: SessionFacts | None, metadata: Metadata
) -> AssetMaterialization:
    """Return the event of one bot; its data version is the session it rests on."""
    version = f"{session.id}" if session else "none"
    tags = {"dagster/code_version": code_version(), "dagster/data_version": version}
    return AssetMaterialization(asset, partition=standing.partition, metadata=metadata, tags=tags)
