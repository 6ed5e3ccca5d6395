"""The page about the convention and the code that holds it say the same."""

from core.settings import ROOT
from trading.backtest import convention

PAGE = ROOT / "docs" / "convention.md"


def test_the_page_quotes_the_convention_word_for_word() -> None:
    assert convention.__doc__ is not None
    assert f"```text\n{convention.__doc__.strip()}\n```" in PAGE.read_text()


def test_every_file_the_page_names_exists() -> None:
    named = [word for word in PAGE.read_text().split("`") if "/" in word and " " not in word]
    assert len(named) > 8
    assert [word for word in named if not (ROOT / word).exists()] == []
