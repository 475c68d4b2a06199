"""Values of Inspect's logs, which may be of any type: texts, times, references to attachments."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from flowtui.store.values import JsonValue

MOST_LEVELS = 100
"""What is nested deeper is left out; the text of it could not be shown as a value."""
MOST_RESOLVED_CHARS = 64 << 20
"""So much is put in the place of references in one sample, which may name one text many times."""
_REFERENCES = ("attachment://", "tc://")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_NS = 2**62
"""SQLite keeps no integer above 2**63; this one is in the year 2116."""


def mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    """Return an object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: JsonValue) -> Sequence[JsonValue]:
    """Return a list, an empty one for anything else."""
    return value if isinstance(value, list) else ()


def text(value: JsonValue) -> str:
    """Return a text that every column can hold, empty for anything but texts and numbers."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    # JSON may have halves of surrogate pairs in it, which are no UTF-8.
    return str(value).encode("utf-8", "replace").decode()


def number(value: JsonValue) -> float | None:
    """Return a number as a float, None for anything else; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def when(value: JsonValue) -> datetime | None:
    """Return a time of ISO 8601; one without a zone is UTC."""
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def nanoseconds(value: JsonValue) -> int | None:
    """Return a time of ISO 8601 as nanoseconds since 1970, None where there is none."""
    found = when(value)
    if found is None:
        return None
    return min(max((found - _EPOCH) // timedelta(microseconds=1) * 1000, 0), _LAST_NS)


def filled(items: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return an object without what says nothing."""
    return {key: value for key, value in items.items() if value not in (None, "", [], {})}


def as_json(value: object) -> str:
    """Return the JSON of a value that `Attachments.resolved` gave."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()


class Attachments:
    """The long texts of one sample, which its log keeps once: `attachment://HASH` stands for one.

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
