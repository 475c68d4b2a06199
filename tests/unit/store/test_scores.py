"""What scores add up to, against plain Python."""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled
from flowtui.store.filters import sample_condition
from flowtui.store.samples import scores
from flowtui.store.samples.score_values import ScoreSet, ScoreSummary
from flowtui.store.samples.scores import number_summary, score_sets
from flowtui.store.samples.values import KeyType
from tests.unit.stores import execute, one_run, opened

RUN = "run-1"
few = settings(
    max_examples=60,
    deadline=None,
    # Every example writes the one table anew.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return one_run(tmp_path)


def found(path: Path, samples: list[tuple[str, str | None]], **named: Any) -> tuple[ScoreSet, ...]:
    """Puts samples (eval set, text of the scores) in place of all and gives what they add up to."""
    execute(path, "delete from evals")
    execute(
        path,
        "insert into evals (id, dataset_id, inputs, scores) values (?, ?, '{}', ?)",
        [(str(n), *sample) for n, sample in enumerate(samples)],
    )
    with opened(path.parent.parent) as store:
        return store.run(RUN).ask(score_sets, **named)


def only(path: Path, values: list[object]) -> ScoreSummary:
    """Gives the summary of one key that has these values."""
    sets = found(path, [("s", json.dumps({"x": value})) for value in values])
    (summary,) = sets[0].scores
    return summary


def test_numbers_booleans_and_texts_of_one_key_are_told_apart(path: Path) -> None:
    values = [1, 2, 4.5, math.nan, math.inf, -math.inf, True, False, True, "a", "b", "a", None, [1]]
    summary = only(path, values)
    assert summary.types == {
        KeyType.NUMBER: 6,
        KeyType.BOOLEAN: 3,
        KeyType.TEXT: 3,
        KeyType.LIST: 1,
        KeyType.NULL: 1,
    }
    assert (summary.count, summary.missing) == (13, 1)
    assert (summary.nan_count, summary.inf_count) == (1, 2)
    assert summary.numbers == number_summary([1, 2, 4.5])
    assert (summary.pass_count, summary.pass_rate) == (2, 2 / 3)
    assert summary.texts is not None
    assert (summary.texts.count, summary.texts.top) == (3, (("a", 2), ("b", 1)))


def test_all_eval_sets_come_first_then_each(path: Path) -> None:
    samples = [
        ("two", '{"x": 1, "y": true}'),
        ("one", '{"x": 3}'),
        ("two", '{"x": 2}'),
        ("two", "{broken"),
        ("one", "[1]"),
        ("one", None),
    ]
    every, one, two = found(path, samples)
    assert [(s.dataset, s.sample_count) for s in (every, one, two)] == [
        (None, 6), ("one", 3), ("two", 3),
    ]  # fmt: skip
    assert [s.unreadable_count for s in (every, one, two)] == [2, 1, 1]
    x, y = every.scores
    assert x.numbers is not None
    assert (x.key, x.numbers.mean, x.missing) == ("x", 2.0, 3)
    assert (y.key, y.pass_rate, y.missing, y.numbers) == ("y", 1.0, 5, None)
    assert [score.key for score in one.scores] == ["x"]
    assert found(path, samples, dataset="one") == (one,)
    (some, *_) = found(path, samples, condition=sample_condition("scores.x > 1"))
    assert some.sample_count == 2


def test_a_run_without_samples_or_their_table_has_none(path: Path) -> None:
    (every,) = found(path, [])
    assert (every.sample_count, every.scores) == (0, ())
    execute(path, "drop table eval_annotations")
    execute(path, "drop table evals")
    with opened(path.parent.parent) as store:
        assert store.run(RUN).ask(score_sets) == ()


def test_rare_and_long_texts_are_counted_among_the_others(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "MAX_LABELS", 12)
    values: list[object] = [*(f"{n:02}" for n in range(20)), "03", "x" * 1_000, "x" * 1_000]
    texts = only(path, values).texts
    assert texts is not None
    assert texts.top[:2] == (("03", 2), ("00", 1))
    assert (len(texts.top), texts.count, texts.other_count) == (10, 23, 12)


FINITE = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-9, 9).map(float))


@given(numbers=st.lists(FINITE, min_size=1, max_size=40))
@few
def test_numbers_agree_with_plain_python(numbers: list[float]) -> None:
    summary = number_summary(numbers)
    low, high = min(numbers), max(numbers)
    assert (summary.count, summary.minimum, summary.maximum) == (len(numbers), low, high)
    assert low <= summary.median <= high
    assert low <= summary.mean <= high
    assert sum(summary.histogram) == len(numbers)
    assert (summary.spread is None) == (len(numbers) == 1)
    largest = max(abs(low), abs(high))
    if 1e-100 < largest < 1e100:
        assert summary.median == statistics.median(numbers)
        assert summary.mean == pytest.approx(statistics.fmean(numbers), abs=1e-12 * largest)
        if summary.spread is not None:
            expected = statistics.stdev(numbers)
            assert summary.spread == pytest.approx(expected, abs=1e-12 * largest)
    if low < high:
        assert len(summary.histogram) == 10
        assert summary.histogram[0] >= 1
        assert summary.histogram[-1] >= 1


@pytest.mark.parametrize("numbers", [[1.7e308, 1.7e308, -1.7e308], [5e-324, 0.0], [-0.0, 0.0]])
def test_the_largest_and_the_smallest_numbers_add_up(numbers: list[float]) -> None:
    summary = number_summary(numbers)
    assert math.isfinite(summary.mean)
    assert math.isfinite(summary.median)
    assert sum(summary.histogram) == len(numbers)


def test_a_histogram_has_ten_equal_bins() -> None:
    assert number_summary([0, 0.5, 1, 5, 9.99, 10]).histogram == (2, 1, 0, 0, 0, 1, 0, 0, 0, 2)
    assert number_summary([3, 3]).histogram == (2,)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.floats(-9, 9), st.just(math.nan),
    st.just(math.inf), st.sampled_from(["a", "b", ""]),
)  # fmt: skip


@given(
    samples=st.lists(
        st.tuples(st.sampled_from("pq"), st.dictionaries(st.sampled_from("xy"), VALUES)),
        max_size=12,
    )
)
@few
def test_sets_agree_with_plain_python(path: Path, samples: list[tuple[str, Any]]) -> None:
    sets = found(path, [(dataset, json.dumps(of)) for dataset, of in samples])
    assert [s.dataset for s in sets] == [None, *sorted({dataset for dataset, _ in samples})]
    for of_set in sets:
        members = [of for dataset, of in samples if of_set.dataset in (None, dataset)]
        assert of_set.sample_count == len(members)
        assert [score.key for score in of_set.scores] == sorted(
            {key for of in members for key in of}
        )
        for score in of_set.scores:
            values = [of[score.key] for of in members if of.get(score.key) is not None]
            numbers = [value for value in values if type(value) in (int, float)]
            finite = [value for value in numbers if math.isfinite(value)]
            texts = Counter(value for value in values if isinstance(value, str))
            assert score.missing == len(members) - len(values)
            assert score.pass_count == sum(value is True for value in values)
            assert score.boolean_count == sum(isinstance(value, bool) for value in values)
            assert score.nan_count + score.inf_count == len(numbers) - len(finite)
            assert score.numbers == (number_summary(finite) if finite else None)
            assert dict(score.texts.top if score.texts else ()) == texts


def test_the_read_can_be_left(path: Path) -> None:
    with (
        opened(path.parent.parent) as store,
        cancelling(lambda: True),
        pytest.raises(ReadCancelled),
    ):
        store.run(RUN).ask(score_sets)


def test_the_mean_of_the_largest_floats_is_the_largest_float() -> None:
    largest = sys.float_info.max
    for count in (3, 7, 10):
        assert number_summary([largest] * count).mean == largest
    assert number_summary([largest, -largest, largest]).mean == pytest.approx(largest / 3)
