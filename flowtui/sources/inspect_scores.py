"""What Inspect's scorers say of a sample, as scores that can be counted, ordered and compared.

A letter becomes the number that Inspect's metrics take it for, so that the mean of a scorer is its
accuracy; the letter itself stands beside it, since a wrong answer and none are both 0.
Source: inspect_ai/scorer/_metric.py (`value_to_float`).
"""

from __future__ import annotations

from flowtui.sources.inspect_attachments import SampleAttachments
from flowtui.sources.json_values import (
    filled,
    mapping,
    text,
)
from flowtui.store.values import JsonValue

LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
MEANINGS = {"C": "correct", "P": "partly correct", "I": "incorrect", "N": "no answer"}
_ABOUT = ("answer", "explanation", "reason", "metadata", "history")


def as_number(value: JsonValue) -> float | None:
    """Return the number that a value of a score stands for, None where it stands for none."""
    if isinstance(value, str):
        return LETTERS.get(value)
    return float(value) if isinstance(value, (int, float)) and abs(value) < 2**62 else None


def scores(given: JsonValue, attachments: SampleAttachments) -> dict[str, JsonValue]:
    """Return the values of all scorers; those of a scorer with several are `scorer.name`."""
    found: dict[str, JsonValue] = {}
    for scorer, score in mapping(given).items():
        _add(scorer, attachments.resolved(mapping(score).get("value")), found)
    return found


def _add(name: str, value: JsonValue, found: dict[str, JsonValue]) -> None:
    if isinstance(value, dict):
        for inner, item in value.items():
            _add(f"{name}.{inner}", item, found)
    elif isinstance(value, str) and value in LETTERS:
        found[name] = LETTERS[value]
        found[f"{name}.letter"] = value
    else:
        found[name] = value


def reasons(given: JsonValue, attachments: SampleAttachments) -> dict[str, JsonValue]:
    """Return what scorers say of their values, by the name of the scorer."""
    found: dict[str, JsonValue] = {}
    for scorer, score in mapping(given).items():
        said = mapping(attachments.resolved(score))
        meaning = MEANINGS.get(text(said.get("value")), "")
        about = filled({"meaning": meaning, **{name: said.get(name) for name in _ABOUT}})
        if about:
            found[scorer] = about
    return found
