"""The cells of joined samples: what a score was and is, and where outputs part."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from flowtui.reports.comparison.sample_texts import delta_text, same_text, signed
from flowtui.screens.compare import evals_columns as columns
from flowtui.screens.compare.evals_columns import sample_cells, sample_columns
from flowtui.store.compare.joined_samples import Numbering, joined
from flowtui.store.compare.sample_page import ComparedSample
from flowtui.store.compare.sample_views import sample_outcomes
from flowtui.store.compare.samples import ComparedSamples
from flowtui.store.compare.score_pairs import ComparedScore, Outcome, ScoreKind
from flowtui.store.compare.significance import PairedTest
from flowtui.store.samples.values import Sample
from flowtui.widgets.cells import Piece
from flowtui.widgets.lists.compared_cells import score_change


def sample(**of: Any) -> Sample:
    values = {"inputs": None, "outputs": None, "refs": None, "scores": None, "metadata": None}
    return Sample(
        rowid=1, dataset_id="faq", id="q1", **{**values, **of}, trace_ids=(), annotation_count=0,
        created_at=None, updated_at=None,
    )  # fmt: skip


def higher(_name: str, is_pass_fail: bool) -> bool | None:
    return True


@pytest.mark.parametrize(
    ("one", "other", "piece"),
    [
        ({"s": True}, {"s": False}, Piece("✓ → ✗", "error")),
        ({"s": False}, {"s": True}, Piece("✗ → ✓", "ok")),
        ({"s": True}, {"s": True}, Piece("✓", "muted")),
        ({"s": 1.0}, {"s": 0.25}, Piece("1 → 0.25", "error")),
        ({"s": 1}, {"s": 1.0}, Piece("1", "muted")),
        ({"s": 1}, {"s": True}, Piece("1 → ✓", "attention")),
        ({"s": 0.5}, {"s": float("nan")}, Piece("0.5 → NaN", "attention")),
        ({"s": 0.5}, {"s": None}, Piece("0.5 → null", "attention")),
        ({"s": 0.5}, {}, Piece("0.5 → –", "muted")),
        ({"s": "good"}, {"s": "bad"}, Piece("good → bad", "attention")),
        ({"s": 1}, {"s": "1"}, Piece('1 → "1"', "attention")),
        ({}, {}, Piece("")),
    ],
)
def test_a_score_shows_what_became_of_it(one: Any, other: Any, piece: Piece) -> None:
    assert score_change(sample(scores=one), sample(scores=other), "s", higher, 19) == piece


@pytest.mark.parametrize(
    ("before", "after", "cells", "text"),
    [
        (0.9134, 0.3521, 15, "0.913 → 0.352"),
        (0.9131, 0.9134, 15, "0.9131 → 0.9134"),
        (-0.00123456, 1234567.0, 15, "-1e-03 → 1e+06"),
        (12345.6, 23456.7, 15, "12,346 → 23,457"),
        (math.nan, 0.123456, 15, "NaN → 0.123"),
        ("a long verdict about it", "another verdict", 15, "a lon… → anoth…"),
        ("good", "a long verdict about it", 15, "good → a long…"),
    ],
)
def test_both_values_of_a_score_are_seen_in_its_cell(
    before: Any, after: Any, cells: int, text: str
) -> None:
    one, other = sample(scores={"s": before}), sample(scores={"s": after})
    assert score_change(one, other, "s", higher, cells).text == text


def compared_score(before: float | None, after: float | None) -> ComparedScore:
    return ComparedScore(
        dataset=None, name="s", kind=ScoreKind.PASS_FAIL, higher=True, baseline=before,
        candidate=after, compared=9, outcomes=dict.fromkeys(Outcome, 0), both_pass=0, both_fail=0,
        same_otherwise=0, broken=0, mended=0, test=None, lost=0, became_nan=0, retyped=0,
        infinite=0, mixed=0, baseline_nan=0, joined_count=9, baseline_count=9, candidate_count=9,
    )  # fmt: skip


def cells(
    one: Sample | None, other: Sample | None, width: int = 200, differing: Collection[int] = ()
) -> dict[str, Any]:
    columns = sample_columns([], "B", width, has_sets=False)
    samples = joined([None, None], Numbering())
    of = ComparedSamples(
        "B", 1, samples, {}, (), sample_outcomes(samples, {}), frozenset(differing)
    )
    joined_sample = ComparedSample(0, ("faq", "q1"), (one, other))
    found = sample_cells(joined_sample, columns, of, higher, width)
    return dict(zip((column.key for column in columns), found, strict=True))


def text(cell: Piece | tuple[Piece, ...]) -> str:
    return cell.text if isinstance(cell, Piece) else "".join(piece.text for piece in cell)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (ScoreKind.PASS_FAIL, "167 (137 ✓ 20 ✗ 10 other)"),
        (ScoreKind.NUMBERS, "167 (157 numbers 10 other)"),
        (ScoreKind.OTHER, "167"),
    ],
)
def test_the_counts_of_what_is_the_same_add_up(kind: ScoreKind, words: str) -> None:
    outcomes = {**dict.fromkeys(Outcome, 0), Outcome.SAME: 167}
    otherwise = 0 if kind is ScoreKind.OTHER else 10
    found = replace(
        compared_score(None, None), kind=kind, outcomes=outcomes, both_pass=137, both_fail=20,
        same_otherwise=otherwise,
    )  # fmt: skip
    assert same_text(found) == words
    assert "(" not in same_text(replace(found, kind=ScoreKind.NUMBERS, same_otherwise=0))


def test_p_is_seen_where_there_is_little_room() -> None:
    test = PairedTest(67, 20, 264, 0.00001, -1)
    score = replace(compared_score(0.9, 0.8), test=test)
    for width, words in {
        120: " all sets  s  67 worse, 20 better of 264: more got worse than better; unlikely to be"
        " chance, p < 0.0001",
        97: " s  67 worse, 20 better of 264: more got worse than better; unlikely to be chance,"
        " p < 0.0001",
        60: " 67 worse, 20 better of 264: p < 0.0001",
    }.items():
        assert "".join(piece.text for piece in columns.tested_line(score, width)) == words


def test_inputs_that_differ_are_marked_in_the_row() -> None:
    one, other = sample(inputs={"a": "What is 1?"}), sample(inputs={"a": "What is 2?"})
    found = cells(one, other, differing=[0])
    assert text(found["inputs"]) == "≠ What is [-1-]{+2+}?"
    assert text(found["id"]) == "≠ q1"
    assert text(cells(one, one)["inputs"]) == "What is 1?"


def test_outputs_are_diffed_from_shortly_before_they_part() -> None:
    before = "Return the parcel within 30 days."
    one, other = sample(outputs={"a": before}), sample(outputs={"a": before.replace("30", "14")})
    wide, narrow = cells(one, other), cells(one, other, 100)
    assert text(wide["outputs.A"]) == before
    assert text(wide["outputs.B"]).endswith("within [-30-]{+14+} days.")
    assert text(narrow["outputs.B"]).startswith("…l within [-30-]")


def test_of_an_output_that_was_replaced_the_new_one_is_seen() -> None:
    one, other = sample(outputs="The refund for it is on its way."), sample(outputs="No money.")
    assert text(cells(one, other, 100)["outputs.B"]).startswith("[-The refund…-]{+No money")


def test_equal_outputs_and_missing_samples_say_so() -> None:
    one = sample(outputs="x", scores={"s": True})
    assert cells(one, replace(one))["outputs.B"] == Piece("= x", "muted")
    only = cells(one, None)
    assert only["id"] == Piece("A q1", "muted")
    assert only["outputs.B"] == Piece("–", "muted")
    assert cells(None, one)["id"] == Piece("B q1", "muted")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [(0.95, 0.9167, "-3.3"), (0.5, 0.5, "="), (0.5, 0.52, "+2"), (0.5, 0.50001, "+0.001")],
)
def test_the_delta_of_a_share_is_in_hundredths_and_never_rounded_to_nothing(
    before: float, after: float, words: str
) -> None:
    assert delta_text(compared_score(before, after)) == words


def test_a_delta_has_its_sign() -> None:
    assert [signed(one) for one in (0.25, -0.25, 0.0)] == ["+0.25", "-0.25", "="]
