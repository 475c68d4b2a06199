"""What the strip below the samples says about the sample under the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from flowtui import format as fmt
from flowtui.screens import judgements
from flowtui.store.equality import is_equal
from flowtui.store.samples.values import Sample
from flowtui.store.values import JsonValue
from flowtui.widgets.lists.detail_strip import StripPart
from flowtui.widgets.lists.score_cells import score_piece

CHARS = 2_000
"""How many characters of a value are shown; the strip has no room for more."""
ITEMS = 40
"""How many items of an object are shown."""
SAME = "the same"


def sample_parts(sample: Sample) -> list[StripPart]:
    """Return the question, the output against the reference, and the scores of a sample."""
    return list(_parts(sample))


def _parts(sample: Sample) -> Iterator[StripPart]:
    if text := _text(sample.inputs):
        yield StripPart("input", text)
    output, reference = _only(sample.outputs), _only(sample.refs)
    if text := _text(sample.outputs):
        yield StripPart("output", text)
    if reference is not None and reference != {}:
        # What is cut at the same place may differ after it.
        is_whole = not any(path.startswith(("outputs", "refs")) for path in sample.cut)
        if is_whole and is_equal(output, reference):
            yield StripPart("reference", SAME, "ok")
        else:
            yield StripPart("reference", _text(sample.refs))
    if isinstance(sample.scores, dict) and sample.scores:
        scores = (f"{fmt.plain(key, 60)} {score_piece(value).text.strip()}"
                  for key, value in sample.scores.items())  # fmt: skip
        yield StripPart("scores", "   ".join(islice(scores, ITEMS)))
    if sample.judgements:
        said = (f"{judgements.title(field)} {judgements.text(one)}"
                for field, one in sample.judgements.items())  # fmt: skip
        yield StripPart("verdicts", "   ".join(islice(said, ITEMS)))
    if text := _text(sample.metadata):
        yield StripPart("metadata", text, "muted")
    for problem in sample.problems:
        yield StripPart("", f"▲ {fmt.plain(problem)}", "attention")


def _only(value: JsonValue) -> JsonValue:
    """Return the value of an object that has a single one, as tables show it."""
    return next(iter(value.values())) if isinstance(value, dict) and len(value) == 1 else value


def _text(value: JsonValue) -> str:
    value = _only(value)
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, str):
        return fmt.one_line(value, CHARS)
    if isinstance(value, dict):
        parts = (f"{fmt.plain(key, 60)}: {fmt.json_text(item, 300)}" for key, item in value.items())
        return "   ".join(islice(parts, ITEMS))
    return fmt.json_text(value, CHARS)
