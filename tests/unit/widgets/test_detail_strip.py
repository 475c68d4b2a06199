"""The lines of the strip below a list: every part has one, and none takes another's room."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len

from flowtui.screens.evals.strip import SAME, sample_parts
from flowtui.store.samples.values import Sample
from flowtui.widgets.lists.detail_strip import StripPart, strip_lines


def texts(parts: list[StripPart], width: int, height: int) -> list[str]:
    return ["".join(piece.text for piece in line) for line in strip_lines(parts, width, height)]


@pytest.mark.parametrize("width", [20, 80, 200])
@pytest.mark.parametrize("height", [1, 2, 7])
def test_lines_fit_and_each_part_has_one(width: int, height: int) -> None:
    parts = [StripPart(name, f"{name} " * 300) for name in ("input", "output", "scores")]
    shown = texts(parts, width, height)
    assert len(shown) == height
    assert all(cell_len(line) <= width for line in shown)
    labels = [line[:11].strip() for line in shown if line[:11].strip()]
    assert labels == ["input", "output", "scores"][:height]
    assert all(line.endswith("…") for line in shown) == (height < 4)


def test_a_short_part_leaves_its_room_to_a_long_one() -> None:
    words = [f"word{n}" for n in range(40)]
    shown = texts([StripPart("input", "short"), StripPart("output", " ".join(words))], 80, 7)
    assert " ".join(" ".join(shown[1:]).split()) == f"output {' '.join(words)}"
    assert "…" not in "".join(shown)


def made_sample(**columns: Any) -> Sample:
    fields: dict[str, Any] = dict.fromkeys(("inputs", "outputs", "refs", "scores", "metadata"))
    fields |= {"created_at": None, "updated_at": None, "trace_ids": (), "annotation_count": 0}
    return Sample(rowid=1, dataset_id="faq", id="q1", **(fields | columns))


def test_an_output_that_is_its_reference_says_so() -> None:
    def parts(sample: Sample) -> dict[str, str]:
        return {part.label: part.text for part in sample_parts(sample)}

    same = made_sample(outputs={"answer": "yes"}, refs={"expected": "yes"}, scores={"ok": True})
    assert (parts(same)["reference"], parts(same)["scores"]) == (SAME, "ok ✓ true")
    other = made_sample(outputs={"answer": "yes"}, refs={"expected": "no"})
    assert (parts(other)["output"], parts(other)["reference"]) == ("yes", "no")
    both = {"answer": "y" * 100}
    cut = made_sample(outputs=both, refs=both, cut={"outputs.answer": 9_000, "refs.answer": 9_001})
    assert parts(cut)["reference"] == "y" * 100, "what follows may differ"
