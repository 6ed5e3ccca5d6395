"""A line of text behind the last bar, as vendors sign their files."""

import re
from collections.abc import Sequence
from typing import Final

from integrations.files.when import Shape, shape_of

_FEWEST_WORDS: Final = 3
_WORD: Final = re.compile(r"[A-Za-z]{2,}\W*")


def footer_of(rows: Sequence[Sequence[str]]) -> str:
    """Return the text of the last of T rows where it is a footer, else nothing.

    A row of bars that is cut behind its first value is none: a footer has several words, and begins with another one
    than all values above it do.
    """
    if len(rows) < 2 or any(cell.strip() for cell in rows[-1][1:]):
        return ""
    text = rows[-1][0].strip()
    words = text.split()
    if not words or not _WORD.fullmatch(words[0]) or sum(map(_is_word, words)) < _FEWEST_WORDS:
        return ""
    likely = shape_of(text) is Shape.OTHER and not any(row[0].strip().startswith(words[0]) for row in rows[:-1])
    return text if likely else ""


def _is_word(text: str) -> bool:
    return text[0].isalpha()
