"""The page on bars is complete."""

import re
from pathlib import Path

from trading.bars.quality import ProblemCode, ProblemLevel

PAGE = Path(__file__).parents[4] / "docs" / "bars.md"


def test_the_page_on_bars_lists_every_problem_once_with_a_verdict() -> None:
    rows = re.findall(r"^\| ([A-Z_]+) \| ([A-Z]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [code for code, _ in rows] == [code.value for code in ProblemCode]
    assert {verdict for _, verdict in rows} == {severity.value for severity in ProblemLevel}
