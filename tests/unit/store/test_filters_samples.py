"""Filters over the list of samples: what luml-sdk takes, and what is added to it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.errors import FilterError
from flowtui.store.filters import sample_condition
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.relation import unescaped
from flowtui.store.schema import EvalAnnotationRow, EvalRow
from flowtui.store.store import Store
from tests.unit.store.test_filters_properties import PIECES, SIGNS, STORED, TEXTS, bounded, holds
from tests.unit.stores import execute, opened, writer

RUN = "run-1"
ROWS = (
    EvalRow(
        dataset_id="faq", id="a",
        inputs={"question": "What is naïve?", "lang": "en"},
        outputs={"answer": "Simple", "items": [{"n": 7}], "a.b": 1},
        refs={"answer": "Simple"},
        scores={"accuracy": 0.9, "correct": True, "label": "good"},
        metadata={"latency": 12, "deep": {"w": 'quo"ted'}},
    ),
    EvalRow(
        dataset_id="faq", id="b",
        inputs={"question": "First\nsecond", "lang": "de"},
        outputs={"answer": "Wrong", "error": "timeout", "a": {"b": 2}},
        refs={"answer": "Right"},
        scores={"accuracy": math.nan, "correct": False, "label": 3},
    ),
    EvalRow(
        dataset_id="math", id="a", inputs={"question": "it’s 1 + 1", "ключ": "да"},
        outputs={"answer": 2}, refs={"answer": "2"},
        scores={"accuracy": 0.5, "__error__judge": "no answer"},
        metadata={"error": None, "back\\slash": 1, 'quo"te': 2},
    ),
    EvalRow(dataset_id="math", id="d", inputs={"question": "?"}, scores={"accuracy": math.inf}),
)  # fmt: skip
NAMES = {("faq", "a"): "a", ("faq", "b"): "b", ("math", "a"): "c", ("math", "d"): "d"}


def _note(dataset: str, id_: str, name: str, value: bool | int | str) -> EvalAnnotationRow:
    return EvalAnnotationRow(
        dataset_id=dataset, eval_id=id_, name=name, value=value, user="ana",
        kind="feedback" if isinstance(value, bool) else "expectation",
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    directory = tmp_path_factory.mktemp("samples")
    with writer(directory) as writing:
        writing.start_run(RUN, RUN)
        with writing.experiment(RUN) as experiment:
            experiment.evals(ROWS)
            experiment.eval_annotations(
                [
                    _note("faq", "a", "good", True),
                    _note("faq", "a", "stars", 4),
                    _note("math", "a", "answer key", "a Bird"),
                ]
            )
    path = directory / RUN / "exp.db"
    execute(path, "update evals set created_at = '2026-06-03 00:00:00' where dataset_id = 'math'")
    with opened(directory) as opened_store:
        yield opened_store


def fitting(store: Store, text: str) -> str:
    """Gives the samples that fit a filter as one word of the letters a to d."""
    keys = store.run(RUN).ask(sample_rows.ordered, None, sample_condition(text))
    samples = store.run(RUN).ask(sample_rows.at, keys)
    return "".join(sorted(NAMES[samples[key].dataset_id, samples[key].id] for key in keys))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "abcd"),
        ('id = "a"', "ac"),
        ("id IN ('b', 'd')", "bd"),
        ('dataset_id = "faq"', "ab"),
        ("dataset = math", "cd"),
        ("created_at >= '2026-06-02'", "cd"),
        ("updated_at = 2026-06-01", "abcd"),
        ("scores.accuracy > 0.5", "ad"),
        ("scores.accuracy >= 0.5", "acd"),
        ("scores.accuracy IS NULL", "b"),
        ("scores.accuracy = inf", "d"),
        ("scores.correct = true", "a"),
        ("scores.correct != true", "b"),
        ('scores.label = "good"', "a"),
        ("scores.label > 1", "b"),
        ("NOT scores.accuracy > 0.5", "bc"),
        ('inputs.question CONTAINS "NAï"', "a"),
        ('inputs.lang IN ("en", "fr")', "a"),
        ("outputs.items[0].n = 7", "a"),
        ("outputs.a.b = 1", "a"),
        ("outputs.a.b = 2", "b"),
        ("metadata.deep.w = 'quo\"ted'", "a"),
        ('inputs.ключ = "да"', "c"),
        ("metadata.`back\\slash` = 1", "c"),
        ('metadata.`quo"te` = 2', "c"),
        ("outputs.answer != refs.answer", "bc"),
        ("outputs.answer = refs.answer", "a"),
        ("accuracy > 0.8", "ad"),
        ("latency < 20", "a"),
        ("lang = de", "b"),
        ("good = true", "a"),
        ("annotation_count > 1", "a"),
        ("trace_count = 0", "abcd"),
    ],
)
def test_fields_of_samples(store: Store, text: str, found: str) -> None:
    assert fitting(store, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("annotations.good = true", "a"),
        ('annotations.feedback.good = "true"', "a"),
        ("annotations_expectation.good = true", ""),
        ("annotations.stars >= 4", "a"),
        ('annotations.answer key = "a Bird"', "c"),
        ('annotations.expectation.answer key LIKE "%bird"', "c"),
        ("annotated", "ac"),
        ("NOT annotated", "bd"),
    ],
)
def test_annotations_are_those_of_the_sample_in_its_own_set(
    store: Store, text: str, found: str
) -> None:
    assert fitting(store, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("simple", "a"),
        ("NAÏVE", "a"),
        ("'quo\"ted'", "a"),
        ('"first\nsecond"', "b"),
        ("nsecond", ""),
        ("timeout", "b"),
        ("FAQ", "ab"),
        ("question", "abcd"),
        ("2019", ""),
        ("it’s", "c"),
        ("u2019", ""),
        ("ДА", "c"),
        ("bird", "c"),
        ('"answer key"', "c"),
        ("errors", "bc"),
        ('"errors"', ""),
        ("NOT errors", "ad"),
        ("faq AND NOT timeout", "a"),
    ],
)
def test_words(store: Store, text: str, found: str) -> None:
    assert fitting(store, text) == found


@pytest.mark.parametrize(
    ("text", "position", "part"),
    [
        ('scores.x ~ "("', 12, "regular expression"),
        ("created_at > soon", 13, "date"),
        ("scores.x > often", 11, "number"),
        ("(simple", 7, "[)]"),
    ],
)
def test_an_error_names_the_place_and_what_was_expected(
    text: str, position: int, part: str
) -> None:
    with pytest.raises(FilterError, match=part) as caught:
        sample_condition(text)
    assert caught.value.position == position


def test_conditions_hold_with_broken_json_and_without_tables(tmp_path: Path) -> None:
    with writer(tmp_path) as writing:
        writing.start_run(RUN, RUN)
        with writing.experiment(RUN) as experiment:
            experiment.evals(ROWS)
    path = tmp_path / RUN / "exp.db"
    execute(path, "update evals set outputs = '{broken words', scores = '[1, NaN]' where id = 'a'")
    execute(path, "update evals set inputs = cast(x'ff22fe' as text), refs = '3' where id = 'b'")
    for table in ("eval_annotations", "eval_traces_bridge"):
        execute(path, f"drop table {table}")
    with opened(tmp_path) as store:
        assert fitting(store, "words") == "ac"
        assert fitting(store, "outputs.broken = 1") == ""
        assert fitting(store, "scores.accuracy = 1 OR inputs.a = 1 OR refs.a = 1") == ""
        assert fitting(store, "annotated OR annotations.good = true") == ""
        assert fitting(store, "naïve") == "a"


SAMPLE_PIECES = st.sampled_from(
    "id dataset_id scores. scores.accuracy outputs.answer refs.answer inputs.a.b outputs.items[0] "
    'metadata.`x y` outputs.a..b inputs.[0] scores." accuracy shown_text.= annotations.good '
    'annotations.a b ключ inputs.ключ.а naïve "" "x" errors annotated'.split(" ")
)
SAMPLE_TEXTS = st.one_of(
    TEXTS,
    st.lists(st.one_of(SAMPLE_PIECES, PIECES), max_size=12).map(" ".join),
    st.lists(st.one_of(SAMPLE_PIECES, PIECES), max_size=8).map("".join),
    st.text(max_size=20).map(lambda key: f"scores.`{key.replace('`', '``')}` = 1"),
)


@given(text=SAMPLE_TEXTS)
@bounded
def test_any_text_runs_or_is_an_error_with_a_place(store: Store, text: str) -> None:
    try:
        is_blank, position = sample_condition(text).sql == "TRUE", 0
    except FilterError as error:
        is_blank, position = True, error.position
    assert 0 <= position <= len(text)
    if is_blank:
        return
    found = fitting(store, text)
    assert set(found) <= set("abcd")
    assert sorted(found + fitting(store, f"NOT ({text})")) == list("abcd")


LITERALS = st.one_of(st.integers(-3, 3), st.floats(-3, 3), st.booleans(), STORED)
VALUES = st.one_of(st.none(), st.just(math.nan), st.just(math.inf), LITERALS)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("scratch")
    with writer(directory) as writing:
        writing.start_run(RUN, RUN)
    return directory


@given(
    values=st.lists(st.dictionaries(st.sampled_from(["x", "y.z", "ключ"]), VALUES), max_size=6),
    key=st.sampled_from(["x", "y.z", "ключ"]),
    sign=st.sampled_from(sorted(SIGNS)),
    literal=LITERALS,
)
@bounded
def test_comparisons_agree_with_python(
    scratch: Path, values: list[dict[str, Any]], key: str, sign: str, literal: Any
) -> None:
    path = scratch / RUN / "exp.db"
    execute(path, "delete from evals")
    execute(
        path,
        "insert into evals (dataset_id, id, inputs, scores) values ('s', ?, '{}', ?)",
        [(str(n), json.dumps(scores)) for n, scores in enumerate(values)],
    )
    shown = f'"{literal}"' if isinstance(literal, str) else repr(literal)
    with opened(scratch) as store:
        keys = store.run(RUN).ask(
            sample_rows.ordered, None, sample_condition(f"scores.{key} {sign} {shown}")
        )
        found = {sample.id for sample in store.run(RUN).ask(sample_rows.at, keys).values()}
    assert found == {
        str(n) for n, scores in enumerate(values) if holds(scores.get(key), sign, literal)
    }


@given(text=st.text())
@bounded
def test_escapes_are_resolved_whether_the_json_is_sound_or_not(text: str) -> None:
    assert unescaped(json.dumps({"k": [text]})) == f'{{"k": ["{text}"]}}'
    assert unescaped(f"\\x {json.dumps(text)}") == f'\\x "{text}"'


@pytest.mark.parametrize(
    ("text", "position"), [("accuracy < 0.5 points", 15), ("id = a (label = good bye)", 21)]
)
def test_word_after_a_value_is_pointed_at(text: str, position: int) -> None:
    with pytest.raises(FilterError, match="Expected AND or OR before") as caught:
        sample_condition(text)
    assert caught.value.position == position
    sample_condition("accuracy < 0.5 errors annotated 'points'")
