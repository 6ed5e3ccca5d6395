"""From a score back to what it rests on."""

import pytest

from integrations.store import BarsStore
from services.backtests.lineage import lineage_of_score
from sql.engine import Transactions
from tests.factories.bars_months import MONTH
from tests.factories.bots import MakeBot
from tests.factories.graded import grade


@pytest.mark.usefixtures("es_bars")
def test_lineage_leads_from_the_score_to_bars_version_code_and_run(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot(params={"fast": 10, "slow": 50})
    (graded,) = grade(tx, store, bot_id).bots
    with tx() as session:
        chain = lineage_of_score(session, bot_id)
    assert chain.session_id == graded.session_id
    assert chain.params == {"fast": 10, "slow": 50}
    assert chain.run_id == "run-1"
    assert chain.code_version.startswith("0.1.0+src.")
    (month,) = chain.bars
    assert (month.symbol, month.month, month.data_label) == ("ES", MONTH, "SIMULATED")
    assert month.content_hash == chain.bars_hash
    assert chain.score is not None
