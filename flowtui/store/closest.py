"""The names that come closest to one that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

MOST: Final = 5


def closest(word: str, names: Iterable[str], most: int = MOST, likeness: float = 0.5) -> list[str]:
    """Return the names that hold a word, in any case, or else those that look like it.

    Args:
        word: The word that was typed.
        names: The names that exist.
        most: How many names at most.
        likeness: The least share of characters that a name has in common with the word, 0 to 1.
    """
    lowered = word.lower()
    known = {name: name.lower() for name in names}
    near = [name for name, text in known.items() if lowered and lowered in text]
    if near:
        return near[:most]
    by_text = {text: name for name, text in reversed(known.items())}
    return [by_text[text] for text in difflib.get_close_matches(lowered, by_text, most, likeness)]
