"""Differences between outputs and references: of words, of keys, and how long they take."""

from __future__ import annotations

import math
import random
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowtui.store.equality import is_equal
from flowtui.store.values import JsonValue
from flowtui.widgets.documents import differences
from flowtui.widgets.documents.differences import (
    MAX_KEYS,
    DiffKind,
    DiffRun,
    KeyDifference,
    key_diff,
    word_diff,
)

LONGEST_S = 0.05
words = st.lists(st.sampled_from(["a", "b", "the", "  ", " ", "\n", "日本", ",", "e\u0301"])).map(
    "".join
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=15,
)


def joined(runs: tuple[DiffRun, ...], *kinds: DiffKind) -> str:
    return "".join(run.text for run in runs if run.kind in kinds)


def marked(output: str, reference: str) -> str:
    signs = {DiffKind.SAME: "{}", DiffKind.ONLY_OUTPUT: "<+{}>", DiffKind.ONLY_REFERENCE: "<-{}>"}
    return "".join(signs[run.kind].format(run.text) for run in word_diff(output, reference))


@settings(max_examples=300, deadline=None)
@given(st.text() | words, st.text() | words)
def test_the_runs_of_each_side_are_that_side(output: str, reference: str) -> None:
    runs = word_diff(output, reference)
    assert joined(runs, DiffKind.SAME, DiffKind.ONLY_OUTPUT) == output
    assert joined(runs, DiffKind.SAME, DiffKind.ONLY_REFERENCE) == reference
    assert all(run.text for run in runs)
    assert all(one.kind != other.kind for one, other in pairwise(runs))
    if output == reference:
        assert {run.kind for run in runs} <= {DiffKind.SAME}


@pytest.mark.parametrize(
    ("output", "reference", "said"),
    [
        (
            "The capital is Lyon, I think.",
            "The capital is Paris.",
            "The capital is <-Paris><+Lyon, I think>.",
        ),
        ("11", "10", "<-10><+11>"),
        ("a b", "a b c", "a b<- c>"),
        ("new words here", "old sayings here", "<-old sayings><+new words> here"),
        ("日本語の文章です", "日本語の文字です", "日本語の文<-字><+章>です"),
        ("", "all", "<-all>"),
    ],
)
def test_words_that_differ_stand_beside_each_other(output: str, reference: str, said: str) -> None:
    assert marked(output, reference) == said


def test_the_shortest_way_is_found_between_anchors() -> None:
    runs = word_diff("x x y x x y y z", "x y x x x y z")
    changed = joined(runs, DiffKind.ONLY_OUTPUT) + joined(runs, DiffKind.ONLY_REFERENCE)
    assert len(changed.split()) <= 3


def texts(count: int) -> list[str]:
    chance = random.Random(count)
    vocabulary = [f"w{n}" for n in range(3_000)]
    base = [chance.choice(vocabulary) for _ in range(count)]
    near = [word if chance.random() < 0.8 else chance.choice(vocabulary) for word in base]
    two = [chance.choice("xy") for _ in range(count)]
    return [" ".join(base), " ".join(near), " ".join(two), "\n".join(near), "x" * count]


@pytest.mark.slow
@pytest.mark.parametrize("count", [100, 5_000, 15_000, 40_000, 300_000])
def test_no_comparison_is_slow(count: int) -> None:
    base, *others = texts(count)
    for other in (*others, base + "!"):
        fastest = math.inf
        for _ in range(3):
            begun = time.process_time()
            word_diff(base, other)
            fastest = min(fastest, time.process_time() - begun)
        assert fastest < LONGEST_S


def test_texts_too_long_for_words_are_compared_by_lines_and_longer_ones_from_where_they_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [f"line {n} is so" for n in range(50)]
    reference, output = "\n".join(lines), "\n".join([*lines[:20], "odd", *lines[21:40]])
    monkeypatch.setattr(differences, "MAX_WORD_CHARS", 10)
    by_line = word_diff(output, reference)
    assert any(run == DiffRun("odd\n", DiffKind.ONLY_OUTPUT) for run in by_line)
    monkeypatch.setattr(differences, "MAX_LINE_CHARS", 10)
    last = word_diff(output, reference)
    assert [run.kind for run in last[:2]] == [DiffKind.SAME, DiffKind.ONLY_REFERENCE]
    assert joined(last, DiffKind.SAME, DiffKind.ONLY_OUTPUT) == output


def test_keys_are_compared_by_path_and_what_one_has_alone_is_one_path() -> None:
    output: JsonValue = {"a": {"b": [1, 2]}, "same": None, "more": {"x": {"y": 1}}}
    reference: JsonValue = {"a": {"b": [1, 3, 4]}, "same": None, "less": 0}
    assert key_diff(output, reference) == (
        KeyDifference("a.b[0]", 1, 1),
        KeyDifference("a.b[1]", 2, 3),
        KeyDifference("a.b[2]", None, 4, in_output=False),
        KeyDifference("same", None, None),
        KeyDifference("more", {"x": {"y": 1}}, None, in_reference=False),
        KeyDifference("less", None, 0, in_output=False),
    )
    assert [row.is_same for row in key_diff(output, reference)] == [True, False, False, True,
                                                                    False, False]  # fmt: skip
    assert key_diff("x", ["x"]) == (KeyDifference("", "x", ["x"]),)
    assert len(key_diff(list(range(5_000)), list(range(5_000)))) == MAX_KEYS


@settings(max_examples=200, deadline=None)
@given(json_values, json_values)
def test_values_are_equal_just_if_no_path_differs(one: JsonValue, other: JsonValue) -> None:
    assert all(row.is_same for row in key_diff(one, one))
    rows = key_diff(one, other)
    assert is_equal(one, other) == all(row.is_same for row in rows)


def test_true_is_not_one_and_nan_is_nan() -> None:
    assert not is_equal(True, 1)
    assert is_equal(1, 1.0)
    assert is_equal([math.nan], [math.nan])
    assert not is_equal({"a": None}, {"b": None})
