"""Joined samples and what became of their scores, against plain Python."""

from __future__ import annotations

import json
import math
import sqlite3
from array import array
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowtui.store.compare.digests import digests
from flowtui.store.compare.joined_samples import JoinedBy, Numbering, joined
from flowtui.store.compare.run_samples import RunSamples, read_samples
from flowtui.store.compare.run_set import RunSet
from flowtui.store.compare.sample_views import ComparedOrder, ComparedView, listed
from flowtui.store.compare.samples import ComparedSamples, SampleReader, compared
from flowtui.store.compare.score_pairs import (
    ComparedScore,
    HigherIsBetter,
    Outcome,
    ScoreKind,
    compared_scores,
    score_pairs,
)
from tests.unit.compared_samples import Logged, log_samples, other_questions, run_set
from tests.unit.stores import execute, one_run

few = settings(max_examples=80, deadline=None)


def higher(name: str, is_pass_fail: bool) -> bool | None:
    """Know the directions of scores by name in these tests."""
    return {"loss": False, "odd": None}.get(name, True)


def in_memory(samples: list[tuple[Any, Any, Any]]) -> RunSamples:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table evals (dataset_id, id, scores)")
        connection.executemany("insert into evals values (?, ?, ?)", samples)
        return read_samples(connection)


def scored(one: dict[str, Any], other: dict[str, Any], **by_id: Any) -> ComparedScore:
    """Compare the score `s` of samples, given by id; a missing id is not a sample at all."""
    runs = [in_memory([("faq", id_, json.dumps(of[id_])) for id_ in of]) for of in (one, other)]
    samples = joined(runs, Numbering())
    pairs = score_pairs(samples, 1, by_id.get("higher", higher))
    (found,) = [one for one in compared_scores(samples, 1, pairs) if one.name == "s"]
    return found


# Joining -------------------------------------------------------------------------------------

keys = st.tuples(st.sampled_from(["faq", "web"]), st.sampled_from("abcdef"))


@few
@given(st.lists(st.lists(keys, max_size=12), min_size=2, max_size=4))
def test_samples_join_on_their_keys_and_doubled_ones_in_order(runs: list[list[Any]]) -> None:
    samples = joined([in_memory([(*key, "{}") for key in run]) for run in runs], Numbering())
    expected = set()
    for at, run in enumerate(runs):
        seen: Counter[Any] = Counter()
        for place, key in enumerate(run):
            expected.add((at, place, key, seen[key]))
            seen[key] += 1
    order: list[Any] = []
    for at in range(len(runs)):
        of_run = sorted(one for one in expected if one[0] == at)
        order += [one[2:] for one in of_run if one[2:] not in order]
    assert samples.count == len(order)
    for number, (key, nth) in enumerate(order):
        assert samples.key(number) == key
        for at in range(len(runs)):
            places = [one[1] for one in expected if one[0] == at and one[2:] == (key, nth)]
            assert samples.rowid(at, number) == (places[0] + 1 if places else None)
    assert samples.doubled == sum(times > 1 for run in runs for times in Counter(run).values())
    assert samples.shared(1) == sum((Counter(runs[0]) & Counter(runs[1])).values())


def test_ids_that_are_null_or_numbers_join_as_the_texts_that_show_them() -> None:
    samples = joined(
        [in_memory([("faq", 1, None), (None, "x", None)]), in_memory([("faq", "1", None)])],
        Numbering(),
    )
    assert [samples.key(number) for number in range(samples.count)] == [("faq", "1"), ("", "x")]
    assert samples.rowid(1, 0) == 1


def test_joining_on_equal_inputs_is_offered_where_fewer_than_half_match(tmp_path: Path) -> None:
    questions = [{"q": f"Q{n}", "k": 1} for n in range(4)]
    runs = {
        "one": [{"id": f"a{n}", "inputs": one} for n, one in enumerate(questions)],
        # In another order of keys, and with 1.0 for 1.
        "other": [
            {"id": f"b{n}", "inputs": {"k": 1.0, "q": one["q"]}}
            for n, one in enumerate(reversed(questions))
        ],
    }
    with run_set(tmp_path, runs) as found:
        reader = SampleReader(found)
        by_key = reader.read().samples
        assert by_key.shared(1) == 0
        assert by_key.offers_inputs(1)
        reader.join_by(JoinedBy.INPUTS)
        by_inputs = reader.read().samples
        assert by_inputs.shared(1) == 4
        assert not by_inputs.offers_inputs(1)
        assert [by_inputs.rowid(1, number) for number in range(4)] == [4, 3, 2, 1]


def test_a_part_of_the_samples_that_all_match_needs_no_offer() -> None:
    runs = [in_memory([("faq", str(n), None) for n in range(many)]) for many in (100, 5)]
    assert not joined(runs, Numbering()).offers_inputs(1)


@pytest.mark.parametrize("sets", [("faq", "faq"), ("faq", "new name")])
def test_inputs_join_within_sets_unless_the_runs_share_none(sets: tuple[str, str]) -> None:
    runs = [
        in_memory([(sets[0], "a", None), ("web", "b", None)]),
        in_memory([(sets[1], "c", None)]),
    ]
    if sets[0] != sets[1]:
        runs[0] = in_memory([(sets[0], "a", None), (sets[0], "b", None)])
    inputs = [array("q", [8, 7]), array("q", [8])]
    samples = joined(runs, Numbering(JoinedBy.INPUTS), inputs)
    assert samples.shared(1) == 1


# What became of scores -----------------------------------------------------------------------

values = st.one_of(
    st.booleans(),
    st.sampled_from([0, 1, 1.0, 0.5, 0.1 + 0.2, 0.3, -2, math.nan, math.inf, None]),
    st.sampled_from(["good", "bad", [1], {"a": 1.0}, {"a": 1}]),
)
samples_of = st.dictionaries(
    st.sampled_from("abcdefgh"), st.one_of(st.just({}), st.fixed_dictionaries({"s": values}))
)


def plain_outcome(one: Any, other: Any, direction: bool | None) -> Outcome:
    if one is MISSING or other is MISSING:
        return Outcome.ONLY_CANDIDATE if one is MISSING else Outcome.ONLY_BASELINE
    kinds = [
        "number" if type(value) in (int, float) and value == value else
        "nan" if type(value) is float else type(value).__name__ for value in (one, other)
    ]  # fmt: skip
    if kinds[0] != kinds[1]:
        is_nested = {*kinds} <= {"list", "dict"}
        return Outcome.CHANGED if not is_nested or one != other else Outcome.SAME
    if kinds[0] == "nan" or one == other:
        return Outcome.SAME
    if kinds[0] == "bool":
        return Outcome.IMPROVED if other else Outcome.REGRESSED
    if kinds[0] != "number":
        return Outcome.CHANGED
    if abs(one - other) < 1e-12:
        return Outcome.SAME
    if direction is None:
        return Outcome.CHANGED
    return Outcome.IMPROVED if (other > one) == direction else Outcome.REGRESSED


MISSING = object()


@few
@given(samples_of, samples_of, st.sampled_from([True, False, None]))
def test_outcomes_means_and_counts_are_those_of_plain_python(
    one: dict[str, Any], other: dict[str, Any], direction: bool | None
) -> None:
    if not any("s" in of for of in (*one.values(), *other.values())):
        return
    found = scored(one, other, higher=lambda _, is_pass_fail: is_pass_fail or direction)
    ids = [*one, *(id_ for id_ in other if id_ not in one)]
    pairs = [
        (one.get(id_, {}).get("s", MISSING), other.get(id_, {}).get("s", MISSING)) for id_ in ids
    ]
    pairs = [pair for pair in pairs if pair != (MISSING, MISSING)]
    counts = Counter(plain_outcome(*pair, direction) for pair in pairs)
    assert found.outcomes == {what: counts[what] for what in Outcome}
    booleans = [pair for pair in pairs if all(type(value) is bool for value in pair)]
    numbers = [
        pair for pair in pairs
        if all(type(value) in (int, float) and value == value for value in pair)
    ]  # fmt: skip
    finite = [pair for pair in numbers if all(map(math.isfinite, pair))]
    if booleans and len(booleans) >= len(numbers):
        assert found.kind is ScoreKind.PASS_FAIL
        compared_pairs = booleans
    else:
        assert found.kind is (ScoreKind.NUMBERS if numbers else ScoreKind.OTHER)
        compared_pairs = finite
    assert found.compared == len(compared_pairs)
    for at, mean in enumerate((found.baseline, found.candidate)):
        if compared_pairs:
            expected = sum(pair[at] for pair in compared_pairs) / len(compared_pairs)
            assert mean == pytest.approx(expected)
        else:
            assert mean is None
    assert (found.both_fail, found.mended, found.broken, found.both_pass) == tuple(
        booleans.count(pair)
        for pair in ((False, False), (False, True), (True, False), (True, True))
    )
    tested = booleans if found.kind is ScoreKind.PASS_FAIL else numbers
    same_tested = sum(plain_outcome(*pair, direction) is Outcome.SAME for pair in tested)
    rest = counts[Outcome.SAME] - same_tested if tested else 0
    assert found.same_otherwise == rest
    if found.test is not None:
        test = found.test
        assert test.worse + test.better + found.outcomes[Outcome.SAME] - rest == test.pairs
    both = [id_ for id_ in one if id_ in other]
    assert (found.baseline_count, found.candidate_count, found.joined_count) == (
        len(one), len(other), len(both),
    )  # fmt: skip
    usable = [
        other[id_].get("s") for id_ in both
        if type(value := one[id_].get("s")) in (bool, int, float) and value == value
    ]  # fmt: skip
    assert found.lost == usable.count(None)
    assert found.became_nan == sum(value != value for value in usable)
    is_pass_fail = found.kind is ScoreKind.PASS_FAIL
    assert found.infinite == (0 if is_pass_fail else len(numbers) - len(finite))
    assert found.mixed == (len(numbers) if is_pass_fail else len(booleans))


@pytest.mark.parametrize("direction", [True, False, None])
def test_what_is_better_of_pass_fail_is_asked_apart(direction: bool | None) -> None:
    found = scored(
        {"a": {"s": True}, "b": {"s": False}},
        {"a": {"s": False}, "b": {"s": False}},
        higher=lambda _, is_pass_fail: direction if is_pass_fail else not direction,
    )
    assert (found.baseline, found.candidate, found.delta) == (0.5, 0.0, -0.5)
    assert found.broken == 1
    expected = {True: Outcome.REGRESSED, False: Outcome.IMPROVED, None: Outcome.CHANGED}
    assert found.outcomes[expected[direction]] == 1
    if direction is None:
        assert found.test is None
    else:
        assert found.test is not None
        assert (found.test.worse, found.test.better) == ((1, 0) if direction else (0, 1))


def test_numbers_without_a_direction_change_and_are_not_tested() -> None:
    found = scored({"a": {"s": 1}}, {"a": {"s": 2}}, higher=lambda *_: None)
    assert found.outcomes[Outcome.CHANGED] == 1
    assert found.delta == 1.0
    assert found.test is None


def test_a_lower_number_is_better_where_its_name_says_so() -> None:
    found = scored({"a": {"s": 1}}, {"a": {"s": 2}}, higher=lambda *_: False)
    assert found.test is not None
    assert (found.test.worse, found.test.better, found.test.pairs) == (1, 0, 1)


def test_each_set_is_added_up_and_all_together_first() -> None:
    runs = [
        in_memory([("b", "1", '{"s": true}'), ("a", "1", '{"s": true}')]),
        in_memory([("b", "1", '{"s": false}'), ("a", "1", '{"s": true}')]),
    ]
    samples = joined(runs, Numbering())
    found = compared_scores(samples, 1, score_pairs(samples, 1, higher))
    assert [(one.dataset, one.candidate) for one in found] == [(None, 0.5), ("a", 1.0), ("b", 0.0)]


def test_scores_that_cannot_be_read_are_counted_and_are_no_values() -> None:
    run = in_memory([("a", "1", "{"), ("a", "2", "[1]"), ("a", "3", '{"s": 1}')])
    assert list(run.unreadable) == [0, 1]
    assert list(run.scores["s"].rows) == [2]


def test_json_too_deep_to_look_at_is_never_said_to_be_the_same() -> None:
    deep = "[" * 900 + "]" * 900
    runs = [in_memory([("a", "1", f'{{"s": {deep}}}')])] * 2
    samples = joined(runs, Numbering())
    pairs = score_pairs(samples, 1, higher)
    assert all(Outcome(one) is not Outcome.SAME for of in pairs.values() for one in of.outcomes)


# Views ---------------------------------------------------------------------------------------

RUNS: dict[str, list[Logged]] = {
    "one": [
        {"id": "same", "outputs": {"a": 1}, "scores": {"ok": True, "sim": 0.5}},
        {"id": "fell", "outputs": "x", "scores": {"ok": True, "sim": 1.0}},
        {"id": "broke", "outputs": "x", "scores": {"ok": True, "sim": 0.5}},
        {"id": "mended", "outputs": "x", "scores": {"ok": False, "sim": 0.5}},
        {"id": "odd", "outputs": "x", "scores": {"ok": True, "odd": 1}},
        {"id": "only A", "scores": {"ok": True}},
    ],
    "other": [
        {"id": "only B", "scores": {"ok": False}},
        {"id": "odd", "outputs": "y", "scores": {"ok": True, "odd": 2}},
        {"id": "mended", "outputs": "y", "scores": {"ok": True, "sim": 0.75}},
        {"id": "broke", "outputs": "x", "scores": {"ok": False, "sim": 0.5}},
        {"id": "fell", "outputs": "y", "scores": {"ok": True, "sim": 0.0}},
        {"id": "same", "outputs": {"a": 1.0}, "scores": {"ok": True, "sim": 0.5}},
    ],
}


def compare(
    folder: Path, runs: dict[str, list[Logged]], direction: HigherIsBetter = higher
) -> tuple[ComparedSamples, frozenset[int]]:
    with run_set(folder, runs) as found:
        reader = SampleReader(found)
        samples = reader.read().samples
        return compared(found, samples, "B", direction), reader.differing_outputs(samples, 1)


def ids(of: ComparedSamples, **how: Any) -> list[str]:
    numbers = listed(of.samples, of.candidate, of.outcomes, of.pairs, **how)
    return [of.samples.key(number)[1] for number in numbers]


def test_views_list_what_their_names_say(tmp_path: Path) -> None:
    of, differing = compare(tmp_path, RUNS)
    view = ComparedView
    assert ids(of) == ["broke", "fell", "odd", "only A", "only B", "same", "mended"]
    assert ids(of, view=view.IMPROVED_FIRST)[:3] == ["mended", "odd", "only A"]
    assert ids(of, view=view.OUTPUTS_DIFFER, differing=differing) == ["fell", "mended", "odd"]
    assert ids(of, view=view.ONLY_IN_ONE) == ["only A", "only B"]
    assert ids(of, view=view.ALL) == [*(one["id"] for one in RUNS["one"]), "only B"]
    assert (of.outcomes.regressed_count(), of.outcomes.improved_count()) == (2, 1)


def test_samples_are_sorted_by_the_delta_of_a_score(tmp_path: Path) -> None:
    of, _ = compare(tmp_path, RUNS)
    up = ids(of, order=ComparedOrder("delta.sim"))
    assert up[:4] == ["fell", "same", "broke", "mended"]
    assert ids(of, order=ComparedOrder("delta.sim", True))[:4] == [
        "mended",
        "same",
        "broke",
        "fell",
    ]
    assert set(up[4:]) == {"odd", "only A", "only B"}
    assert ids(of, order=ComparedOrder("id"))[0] == "broke"


def test_the_number_of_scores_that_were_tested_is_told(tmp_path: Path) -> None:
    of, _ = compare(tmp_path, RUNS)
    # `odd` has no known direction.
    assert of.tested_count == 2
    ok = of.score("ok")
    assert ok is not None
    assert ok.outcomes[Outcome.ONLY_BASELINE] == ok.outcomes[Outcome.ONLY_CANDIDATE] == 1
    assert of.score("none") is None


# Growing runs --------------------------------------------------------------------------------


def test_of_a_run_that_grew_only_later_samples_are_read(tmp_path: Path) -> None:
    with run_set(tmp_path, RUNS) as found:
        reader = SampleReader(found)
        before = reader.read().samples
        numbers = {before.key(number): number for number in range(before.count)}
        # One is new, one is logged again, and one is gone.
        path = tmp_path / "other" / "exp.db"
        log_samples(path, [{"id": "later", "scores": {"ok": True}},
                           {"id": "broke", "scores": {"ok": True}}])  # fmt: skip
        execute(path, "delete from evals where id = 'odd'")
        after = reader.read({"B"}).samples
        fresh = SampleReader(found).read().samples
    for number in range(after.count):
        key = after.key(number)
        if key in numbers:
            assert numbers[key] == number
    of_both = [
        {samples.key(n): (samples.rowid(0, n), samples.rowid(1, n)) for n in range(samples.count)}
        for samples in (after, fresh)
    ]
    assert of_both[0] == of_both[1]
    outcomes = []
    for samples in (after, fresh):
        pairs = score_pairs(samples, 1, higher)
        outcomes.append(
            {
                name: {
                    samples.key(number): what
                    for number, what in zip(one.numbers, one.outcomes, strict=True)
                }
                for name, one in pairs.items()
            }
        )
    assert outcomes[0] == outcomes[1]


def test_only_rows_after_the_mark_are_read(tmp_path: Path) -> None:
    path = one_run(tmp_path)
    log_samples(path, [{"id": str(n), "scores": {"s": n}} for n in range(50)])
    with closing(sqlite3.connect(path)) as connection:
        known = read_samples(connection)
        log_samples(path, [{"id": "50", "scores": {"s": 50}}])
        parsed: list[str] = []
        connection.set_trace_callback(parsed.append)
        grown = read_samples(connection, known)
        assert [one for one in parsed if "scores" in one and "rowid > 50" in one]
        assert list(grown.scores["s"].values) == [float(n) for n in range(51)]
        assert len(known.rowids) == 50
        assert read_samples(connection, grown) is grown


def test_a_row_changed_in_its_place_is_read_when_everything_is_asked_for(tmp_path: Path) -> None:
    with run_set(tmp_path, RUNS) as found:
        reader = SampleReader(found)
        before = reader.read().samples
        assert len(reader.differing_outputs(before, 1)) == 3
        execute(
            tmp_path / "other" / "exp.db",
            "update evals set scores = '{\"ok\": false}', outputs = '\"z\"'",
        )
        after = reader.read({"B"}, {"B"}).samples
        of = compared(found, after, "B", higher)
        assert of.outcomes.regressed_count() == 4
        assert len(reader.differing_outputs(after, 1)) == 5


def test_samples_of_one_id_with_other_inputs_are_found(tmp_path: Path) -> None:
    with run_set(tmp_path, other_questions()) as found:
        reader = SampleReader(found)
        samples = reader.read().samples
        numbers = reader.differing_inputs(samples, 1)
        assert {samples.key(number)[1] for number in numbers} == {"1", "2", "3", "4"}
        reader.join_by(JoinedBy.INPUTS)
        joined_anew = reader.read().samples
        assert joined_anew.shared(1) == 1
        assert reader.differing_inputs(joined_anew, 1) == frozenset()


def test_digests_of_later_samples_are_added(tmp_path: Path) -> None:
    path = one_run(tmp_path)
    log_samples(path, [{"id": "a", "outputs": 1}, {"id": "b"}, {"id": "c", "outputs": "{"}])
    with closing(sqlite3.connect(path)) as connection:
        samples = read_samples(connection)
        found = digests(connection, "outputs", samples)
        log_samples(path, [{"id": "d", "outputs": 1.0}])
        later = read_samples(connection, samples)
        grown = digests(connection, "outputs", later, found)
        assert grown.values[:3] == found.values
        assert grown.values[3] == grown.values[0]
        assert len({*found.values}) == 3
        assert grown == digests(connection, "outputs", later)


def test_a_run_without_samples_or_without_the_table_has_none(tmp_path: Path) -> None:
    with run_set(tmp_path, {"one": RUNS["one"], "none": []}) as found:
        execute(tmp_path / "none" / "exp.db", "drop table evals")
        samples = SampleReader(found).read().samples
        assert samples.sample_count(1) == 0
        assert ids(compared(found, samples, "B", higher), view=ComparedView.ONLY_IN_ONE) == [
            one["id"] for one in RUNS["one"]
        ]


def test_a_run_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    with run_set(tmp_path, {**RUNS, "third": []}) as found:
        (tmp_path / "third" / "exp.db").write_bytes(b"no database" * 500)
        read = SampleReader(found).read()
        assert [*read.problems] == ["C"]
        assert read.samples.runs[2] is None
        assert read.samples.shared(1) == 5


def test_the_same_run_twice_is_all_the_same(tmp_path: Path) -> None:
    with run_set(tmp_path, {"one": RUNS["one"]} | {"x": []}) as found:
        twice = RunSet.of([(one.store, one.run) for one in (found.baseline, found.baseline)])
        of = compared(twice, SampleReader(twice).read().samples, "B", higher)
        assert of.outcomes.regressed_count() == of.outcomes.improved_count() == 0
        assert {what for one in of.scores for what, n in one.outcomes.items() if n} == {
            Outcome.SAME
        }
