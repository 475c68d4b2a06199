"""Filters over joined samples, against plain Python and against the filters of one run."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowtui.store.compare.joined_samples import JoinedSamples
from flowtui.store.compare.run_set import RunSet
from flowtui.store.compare.sample_filter import compared_condition, filter_remarks, matching
from flowtui.store.compare.samples import SampleReader
from flowtui.store.errors import FilterError
from flowtui.store.filters import sample_condition
from flowtui.store.samples import listing as sample_rows
from tests.unit.compared_samples import Logged, run_set
from tests.unit.stores import execute

TOPICS = ("refund", "order", "parcel")
VALUES: list[Any] = [True, False, 0.25, 1, 2.5, "2.5", "good", None]


def samples_of(shift: int) -> list[Logged]:
    return [
        {
            "id": f"q{n}",
            "inputs": {"q": f"question {n}"},
            "outputs": f"answer {n % 5 if shift else n % 3} Ünïcode",
            "scores": {"correct": (n + shift * 2) % 4 > 0, "any": VALUES[(n + shift) % 8]}
            | ({} if n % 7 == shift else {"sim": (n * (shift + 2)) % 10 / 10}),
            "metadata": {"topic": TOPICS[n % 3]},
        }
        for n in range(shift * 3, 30)
    ]


RUNS = {"one": samples_of(0), "other": samples_of(1)}
Samples = dict[str, tuple[Any, Any]]


@pytest.fixture
def read(tmp_path: Path) -> Iterator[tuple[RunSet, JoinedSamples]]:
    with run_set(tmp_path, RUNS) as runs:
        yield runs, SampleReader(runs).read().samples


def found(read: tuple[RunSet, JoinedSamples], text: str) -> set[str]:
    runs, samples = read
    condition = compared_condition(text, [run.letter for run in runs.runs])
    assert condition is not None
    return {samples.key(number)[1] for number in matching(runs, samples, condition)}


def by_id(name: str) -> dict[str, Logged]:
    return {sample["id"]: sample for sample in RUNS[name]}


def plain(test: Any) -> set[str]:
    one, other = by_id("one"), by_id("other")
    return {id_ for id_ in one | other if test(one.get(id_), other.get(id_))}


def score(sample: Logged | None, name: str) -> Any:
    return None if sample is None else sample["scores"].get(name)


SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, "=": operator.eq}


@pytest.mark.parametrize("sign", [*SIGNS])
@pytest.mark.parametrize("name", ["correct", "sim"])
def test_scores_of_two_runs_are_compared(
    read: tuple[RunSet, JoinedSamples], sign: str, name: str
) -> None:
    def holds(one: Logged | None, other: Logged | None) -> bool:
        values = score(other, name), score(one, name)
        return None not in values and SIGNS[sign](*values)

    assert found(read, f"B.scores.{name} {sign} A.scores.{name}") == plain(holds)
    assert plain(holds)


def test_the_condition_of_the_readme_finds_what_broke_of_a_topic(
    read: tuple[RunSet, JoinedSamples],
) -> None:
    text = 'B.scores.correct < A.scores.correct and A.metadata.topic = "refund"'
    assert found(read, text) == plain(
        lambda one, other: (
            one is not None
            and other is not None
            and score(other, "correct") < score(one, "correct")
            and one["metadata"]["topic"] == "refund"
        )
    )


@pytest.mark.parametrize(
    "text",
    [
        "{}scores.sim > 0.4",
        "{}correct = true",
        "{}scores.any = 2.5",
        '{}any != "good"',
        '{}outputs ~ "answer [12]"',
        '{}"answer 2"',
        "{}errors",
        "{}annotated",
        "{}id in (q1, q2, q29)",
        "{}sim between 0.2 and 0.6",
        "{}topic contains par",
        "{}sim is not null",
        "{}scores.sim < {}scores.correct",
        "{}annotations.feedback.good = true",
        "{}annotations.feedback.very good = true",
    ],
)
def test_a_condition_means_in_each_run_what_it_means_in_its_own_list(
    read: tuple[RunSet, JoinedSamples], text: str
) -> None:
    runs, _ = read
    of_each = []
    condition = sample_condition(text.replace("{}", ""))
    for run in runs.runs:
        rowids = run.run.ask(sample_rows.ordered, None, condition)
        of_each.append({one.id for one in run.run.ask(sample_rows.at, rowids).values()})
    assert found(read, text.replace("{}", "")) == of_each[0] | of_each[1]
    if '"answer 2"' not in text:
        assert [found(read, text.replace("{}", f"{letter}.")) for letter in "AB"] == of_each


def test_what_a_run_lacks_holds_nowhere_but_in_is_null_and_not(
    read: tuple[RunSet, JoinedSamples],
) -> None:
    only_a = {f"q{n}" for n in range(3)}
    assert not found(read, "B.id != x") & only_a
    assert found(read, "not B.id != x") == only_a
    assert only_a <= found(read, "B.scores.sim is null")
    assert found(read, "B.scores.sim is null") == plain(
        lambda _, other: score(other, "sim") is None
    )
    assert not only_a & found(read, "B.scores.sim is not null")
    assert found(read, "not (B.scores.sim < A.scores.sim)") == plain(
        lambda one, other: (
            not (
                None not in (score(one, "sim"), score(other, "sim"))
                and score(other, "sim") < score(one, "sim")
            )
        )
    )


def test_a_name_without_a_letter_is_compared_with_each_other_run(
    read: tuple[RunSet, JoinedSamples],
) -> None:
    assert found(read, "scores.sim < A.scores.sim") == found(read, "B.scores.sim < A.scores.sim")
    assert found(read, "A.scores.sim > scores.sim") == found(read, "B.scores.sim < A.scores.sim")


def test_texts_are_compared_too_also_those_that_are_not_utf_8(
    read: tuple[RunSet, JoinedSamples], tmp_path: Path
) -> None:
    for name in RUNS:
        execute(
            tmp_path / name / "exp.db",
            "update evals set outputs = cast(x'7b2261223a2022e4227d' as text) where id = 'q5'",
        )
    assert found(read, "A.outputs.a = B.outputs.a") == {"q5"}
    assert found(read, "A.metadata.topic = B.metadata.topic") == {f"q{n}" for n in range(3, 30)}


def test_types_differ_as_in_every_filter(read: tuple[RunSet, JoinedSamples]) -> None:
    # The text "2.5" counts as a number in an order, but is not equal to one.
    def in_order(one: Logged | None, other: Logged | None) -> bool:
        def number(value: Any) -> float | None:
            return None if value in (None, "good") else float(value)

        if one is None or other is None:
            return False
        values = number(score(one, "any")), number(score(other, "any"))
        return None not in values and values[0] < values[1]  # type: ignore[operator]

    numeric = found(read, "A.scores.any < B.scores.any and A.scores.any != good")
    assert numeric == plain(in_order)


def test_a_search_can_be_of_one_run(read: tuple[RunSet, JoinedSamples]) -> None:
    assert found(read, "A.refund") == {f"q{n}" for n in range(0, 30, 3)}
    assert found(read, "refund") == found(read, "A.refund") | found(read, "B.refund")
    assert found(read, '"A.refund"') == set()


def test_annotations_of_each_run_are_asked(
    read: tuple[RunSet, JoinedSamples], tmp_path: Path
) -> None:
    for name, value in (("one", "true"), ("other", "false")):
        execute(
            tmp_path / name / "exp.db",
            "insert into eval_annotations (id, dataset_id, eval_id, name, annotation_kind,"
            f" value_type, value, user) values ('{name}', 'faq', 'q9', 'good', 'feedback',"
            f" 'bool', '{value}', 'me')",
        )
    assert found(read, "A.annotated") == {"q9"}
    assert found(read, "A.annotations.feedback.good = true") == {"q9"}
    assert found(read, "B.annotations.feedback.good = true") == set()
    assert found(read, "A.annotations.good != B.annotations.good") == {"q9"}


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("C.scores.sim > 1", 0, "There is no run C here: the runs are A and B."),
        ("A.sim < D.sim", 8, "There is no run D here"),
        ("A.scores.sim ~ B.scores.sim", 15, "regular expression"),
        ("A.scores.sim >", 14, "value after >"),
        ("A.created_at > maybe", 15, "xpected"),
    ],
)
def test_what_is_not_understood_says_where(
    read: tuple[RunSet, JoinedSamples], text: str, position: int, says: str
) -> None:
    with pytest.raises(FilterError, match=says) as caught:
        found(read, text)
    assert caught.value.position == position


def test_a_key_that_no_sample_has_is_told(read: tuple[RunSet, JoinedSamples]) -> None:
    runs, _ = read

    def told(text: str) -> tuple[str, ...]:
        condition = compared_condition(text, "AB")
        assert condition is not None
        return filter_remarks(runs, condition)

    assert told("scores.sim > 1") == ()
    assert any("semi" in one for one in told("scores.semi > 1"))
    (one,) = told("B.scores.semi > 1")
    assert one.startswith("B: ")
    assert len(told("A.scores.semi > B.scores.semi")) == 2


def test_a_blank_filter_is_none() -> None:
    assert compared_condition("  ", "AB") is None
