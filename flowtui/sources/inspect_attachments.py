"""The long texts of a sample, which an Inspect log keeps once."""

from __future__ import annotations

from collections import Counter

from flowtui.sources.json_values import mapping
from flowtui.store.values import JsonValue

MOST_LEVELS = 100
"""What is nested deeper is left out; the text of it could not be shown as a value."""
MOST_RESOLVED_CHARS = 64 << 20
"""So much is put in the place of references in one sample, which may name one text many times."""
_REFERENCES = ("attachment://", "tc://")


class SampleAttachments:
    """The attachments of one sample; `attachment://HASH` stands for one of them.

    Source: inspect_ai/log/_condense.py.
    """

    def __init__(self, held: JsonValue, left_out: Counter[str]) -> None:
        """Take the attachments of a sample, and where to count what is left out."""
        self._held = mapping(held)
        self._left_out = left_out
        self._left_chars = MOST_RESOLVED_CHARS

    def resolved(self, value: JsonValue, levels: int = MOST_LEVELS) -> JsonValue:
        """Return a value with the texts in it that references stand for."""
        if isinstance(value, str):
            return self._text(value) if value.startswith(_REFERENCES) else value
        if not isinstance(value, (list, dict)):
            return value
        if not levels:
            self._left_out[f"values that are nested deeper than {MOST_LEVELS} levels"] += 1
            return None
        if isinstance(value, list):
            return [self.resolved(item, levels - 1) for item in value]
        return {key: self.resolved(item, levels - 1) for key, item in value.items()}

    def _text(self, reference: str) -> str:
        held = self._held.get(reference.partition("://")[2])
        if not isinstance(held, str):
            return reference
        if len(held) > self._left_chars:
            what = f"references to long texts, past {MOST_RESOLVED_CHARS / 1e6:,.0f} MB of a sample"
            self._left_out[what] += 1
            return reference
        self._left_chars -= len(held)
        return held
