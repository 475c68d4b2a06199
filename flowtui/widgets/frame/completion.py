"""Completion of the last word in a field."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from textual.suggester import Suggester

LAST_WORD = re.compile(r"[^\s(),=<>!~]+$")


class WordSuggester(Suggester):
    """Suggests the first name that begins with the last word, in any case."""

    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = names

    async def get_suggestion(self, value: str) -> str | None:
        return completed(value, self._names())


def completed(text: str, names: Sequence[str]) -> str | None:
    """Return a text with its last word completed; None if no name begins with that word."""
    found = LAST_WORD.search(text)
    if found is None:
        return None
    word = found.group().lower()
    for name in names:
        if name.lower().startswith(word) and len(name) > len(word):
            return text + name[len(word) :]
    return None
