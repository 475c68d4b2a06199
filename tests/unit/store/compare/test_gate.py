"""The gate: what fails it, and that nothing passes it by mistake."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from flowtui.store.compare.directions import Direction, direction
from flowtui.store.compare.gate import GateMisused, Verdict, verdicts
from flowtui.store.schema import EvalRow
from tests.conftest import NOW
from tests.unit.compared import run_set
from tests.unit.stores import opened, writer

Scores = Mapping[str, object]
NAN = float("nan")


def judged(
    folder: Path,
    before: Sequence[Scores | None],
    after: Sequence[Scores | None],
    names: Sequence[str],
    tolerance: float = 0.0,
    points: tuple[Mapping[str, Sequence[float]], Mapping[str, Sequence[float]]] = ({}, {}),
    better: str = "",
) -> list[Verdict]:
    """Return the verdicts on names; of each sample the scores are given, None for no sample."""
    with writer(folder) as store:
        for name, samples, metrics in (("old", before, points[0]), ("new", after, points[1])):
            store.start_run(f"id-{name}", name)
            with store.experiment(f"id-{name}") as run:
                run.evals(
                    EvalRow(dataset_id="faq", id=f"q{number}", inputs={}, scores=scores)
                    for number, scores in enumerate(samples)
                    if scores is not None
                )
                for key, values in metrics.items():
                    run.metrics((key, value, step, NOW) for step, value in enumerate(values))
    chosen = dict.fromkeys(names, better) if better else {}
    with opened(folder) as of:
        return verdicts(
            run_set(of, "old", "new"),
            names,
            lambda name, is_pass_fail: direction(name, chosen, is_pass_fail=is_pass_fail),
            tolerance,
        )


def correct(*passed: bool) -> list[Scores]:
    return [{"correct": one} for one in passed]


@pytest.mark.parametrize(
    ("before", "after", "tolerance", "has_regressed"),
    [
        ([True] * 4, [True] * 3 + [False], 0.0, True),
        ([True] * 4, [True] * 3 + [False], 0.25, False),
        ([True] * 4, [True] * 3 + [False], 0.2, True),
        ([False] * 4, [True] * 4, 0.0, False),
        ([True, False] * 2, [False, True] * 2, 0.0, False),
    ],
)
def test_a_pass_rate_may_fall_by_the_tolerance_and_no_more(
    folder: Path, before: list[bool], after: list[bool], tolerance: float, has_regressed: bool
) -> None:
    (verdict,) = judged(folder, correct(*before), correct(*after), ["correct"], tolerance)
    assert verdict.has_regressed is has_regressed
    assert (verdict.baseline, verdict.candidate) == (sum(before) / 4, sum(after) / 4)


def test_what_floats_add_to_a_difference_does_not_count(folder: Path) -> None:
    points = {"accuracy": [0.8]}, {"accuracy": [0.75]}
    (verdict,) = judged(folder, [], [], ["accuracy"], 0.05, points)
    assert not verdict.has_regressed


@pytest.mark.parametrize("gone", [{}, {"correct": None}, {"correct": NAN}, {"correct": "yes"}])
def test_a_sample_that_lost_its_score_fails_however_the_others_did(
    folder: Path, gone: Scores
) -> None:
    after = [*correct(True, True, True), gone]
    (verdict,) = judged(folder, correct(False, False, True, True), after, ["correct"])
    assert verdict.has_regressed
    assert "1 of 4 samples" in verdict.said


def test_a_score_that_only_the_baseline_lacked_does_not_fail(folder: Path) -> None:
    before = [*correct(True, True), {"correct": None}, {"correct": NAN}]
    (verdict,) = judged(folder, before, correct(True, True, True, True), ["correct"])
    assert not verdict.has_regressed


def test_fewer_than_half_of_the_samples_in_common_fail(folder: Path) -> None:
    few: list[Scores | None] = [*correct(True), None, None]
    (verdict,) = judged(folder, correct(True, True, True), few, ["correct"])
    assert verdict.has_regressed
    assert verdict.said == "only 1 of 3 samples are in both runs"


def test_half_of_the_samples_in_common_are_enough(folder: Path) -> None:
    (verdict,) = judged(folder, correct(True, True), [*correct(True), None], ["correct"])
    assert not verdict.has_regressed


def test_a_score_that_the_candidate_lacks_fails(folder: Path) -> None:
    (verdict,) = judged(folder, correct(True, True), [{"other": 1}] * 2, ["correct"])
    assert verdict.has_regressed


@pytest.mark.parametrize(
    ("before", "after", "has_regressed"),
    [
        ([0.5, 0.4], [0.6, 0.3], False),
        ([0.5, 0.4], [0.1, 0.5], True),
        ([0.5, 0.4, NAN], [0.4], False),
        ([0.5, 0.4, math.inf], [0.41], True),
        ([0.5], [0.4, NAN], True),
        ([0.5], [0.4, math.inf], True),
        ([0.5], [], True),
        ([NAN], [0.4], True),
    ],
)
def test_a_metric_is_its_last_finite_value_and_one_that_ends_in_nan_fails(
    folder: Path, before: list[float], after: list[float], has_regressed: bool
) -> None:
    points = {"val/loss": before}, {"val/loss": after} if after else {}
    (verdict,) = judged(folder, [], [], ["val/loss"], points=points)
    assert verdict.has_regressed is has_regressed


def test_a_direction_that_is_not_known_is_asked_for(folder: Path) -> None:
    points = {"wibble": [1.0]}, {"wibble": [2.0]}
    with pytest.raises(GateMisused, match="--better"):
        judged(folder, [], [], ["wibble"], points=points)


@pytest.mark.parametrize(("better", "has_regressed"), [("higher", False), ("lower", True)])
def test_a_direction_that_is_given_counts(folder: Path, better: str, has_regressed: bool) -> None:
    points = {"wibble": [1.0]}, {"wibble": [2.0]}
    (verdict,) = judged(folder, [], [], ["wibble"], points=points, better=better)
    assert verdict.has_regressed is has_regressed


def test_a_name_of_neither_or_of_both_is_refused(folder: Path) -> None:
    points = {"f1": [0.5]}, {"f1": [0.5]}
    scores = [{"f1": 0.5}]
    with pytest.raises(GateMisused, match=r"scores\.f1 or metric\.f1"):
        judged(folder, scores, scores, ["f1"], points=points)
    with opened(folder) as store:
        runs = run_set(store, "old", "new")
        found = verdicts(runs, ["scores.f1", "metric.f1"], lambda *_: direction("f1"))
        assert [verdict.name for verdict in found] == ["f1", "f1"]
        with pytest.raises(GateMisused, match="closest: f1"):
            verdicts(runs, ["f2"], lambda *_: None)


def test_other_inputs_under_the_same_ids_fail(folder: Path) -> None:
    with writer(folder) as store:
        for name, passed in (("old", False), ("new", True)):
            store.start_run(f"id-{name}", name)
            with store.experiment(f"id-{name}") as run:
                run.evals(
                    EvalRow(dataset_id="faq", id=f"q{n}", scores={"correct": passed},
                            inputs={"q": n if n < 2 else f"{n} of {name}"})
                    for n in range(5)
                )  # fmt: skip
    with opened(folder) as of:
        (verdict,) = verdicts(run_set(of, "old", "new"), ["correct"], known)
    assert verdict.has_regressed
    assert verdict.said == "the inputs of 3 of 5 samples with one id differ"


def test_values_that_most_samples_of_the_baseline_lack_fail(folder: Path) -> None:
    before: list[Scores] = [*correct(True, True), *({"correct": None} for _ in range(18))]
    (verdict,) = judged(folder, before, correct(*[True] * 2, *[False] * 18), ["correct"])
    assert verdict.has_regressed
    assert verdict.said == "only 2 of 20 samples with a value have one in both runs"


def test_a_score_that_few_samples_have_in_both_runs_is_judged(folder: Path) -> None:
    some: list[Scores] = [*correct(True, True), *({"other": 1} for _ in range(18))]
    (verdict,) = judged(folder, some, some, ["correct"])
    assert not verdict.has_regressed


@pytest.mark.parametrize(
    "name", ["false_positive", "hallucinated", "is_toxic", "has_error", "refused", "timeout"]
)
def test_true_is_not_taken_for_good_where_the_name_has_a_word_for_what_is_bad(
    folder: Path, name: str
) -> None:
    scores: tuple[list[Scores], list[Scores]] = ([{name: False}] * 4, [{name: True}] * 4)
    with pytest.raises(GateMisused, match="--better"):
        judged(folder, *scores, [name])


def known(name: str, is_pass_fail: bool) -> Direction | None:
    return direction(name, is_pass_fail=is_pass_fail)
