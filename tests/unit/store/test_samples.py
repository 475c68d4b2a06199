"""The list of samples: what each is, the orders and views that they come in, their keys."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowtui.store.annotations.values import SampleTarget
from flowtui.store.bounded_json import MAX_LEVELS
from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled
from flowtui.store.filters import sample_condition
from flowtui.store.samples import keys as sample_keys
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.listing import LISTED
from flowtui.store.samples.orders import SORTABLE, SampleOrder
from flowtui.store.samples.values import Dataset, KeyType, SampleGroup, SamplesView
from flowtui.store.samples.views import view_condition, view_order
from flowtui.store.schema import EvalAnnotationRow, EvalRow, LinkRow
from flowtui.store.store import Store
from tests.unit.stores import NOW, execute, opened, writer

RUN = "run-1"
few = settings(
    max_examples=60,
    deadline=None,
    # Every example writes the one table anew.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def row(id_: str, dataset: str = "faq", **columns: Any) -> EvalRow:
    return EvalRow(dataset_id=dataset, id=id_, inputs=columns.pop("inputs", {}), **columns)


ROWS = (
    row(
        "a/1 [b]",
        inputs={"q": "one", "tags": ["x"]},
        outputs={"answer": " 4 "},
        refs={"answer": "4"},
        scores={"accuracy": 0.2, "correct": True, "label": "low"},
        metadata={"lang": "en"},
    ),
    row(
        "b",
        outputs={"answer": "5"},
        refs={"answer": "4"},
        scores={"accuracy": math.nan, "correct": False, "label": 7},
        metadata={"lang": "de"},
    ),
    row("c", scores={"accuracy": 0.9, "correct": False}, metadata={"lang": "en", "error": "x"}),
    row("b", "math", outputs={"answer": 4}, refs={"value": 4.0}, scores={"accuracy": math.inf}),
    row("d", "math", outputs={"n": True}, refs={"n": 1}, scores={"error": "judge is away"}),
    row("e", "math"),
)


def written(directory: Path, rows: tuple[EvalRow, ...] = ROWS) -> Path:
    with writer(directory) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.evals(rows)
    return directory


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    written(tmp_path)
    with writer(tmp_path) as store, store.experiment(RUN) as experiment:
        experiment.links(
            LinkRow(dataset_id=dataset, eval_id=id_, trace_id=trace)
            for dataset, id_, trace in (
                ("faq", "b", "t2"),
                ("faq", "b", "t1"),
                ("faq", "b", "t2"),
                ("math", "b", "t3"),
            )
        )
        experiment.eval_annotations(
            EvalAnnotationRow(
                dataset_id="math", eval_id=id_, name="n", kind="feedback", value=True, user="ana"
            )
            for id_ in ("b", "b", "e")
        )
    return tmp_path


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    with opened(directory) as store:
        yield store


def listed(store: Store, order: SampleOrder = sample_rows.OLDEST_FIRST, **named: Any) -> str:
    """Gives the samples in order as one word; the set's first letter tells the two b apart."""
    keys = store.run(RUN).ask(sample_rows.ordered, order=order, **named)
    samples = store.run(RUN).ask(sample_rows.at, keys)
    names = (f"{samples[key].dataset_id[0]}{samples[key].id[0]}" for key in keys)
    return " ".join(names)


def replaced(directory: Path, column: str, texts: list[str | None]) -> None:
    """Puts as many samples as there are texts in place of all that there are."""
    path = directory / RUN / "exp.db"
    execute(path, "delete from evals")
    execute(
        path,
        f"insert into evals (dataset_id, id, inputs, {column}) values ('s', ?, '{{}}', ?)",
        [(f"{n}", text) for n, text in enumerate(texts)],
    )


def test_a_sample_is_what_its_row_links_and_annotations_say(store: Store) -> None:
    found = store.run(RUN).ask(sample_rows.detail, SampleTarget("faq", "b"))
    assert found is not None
    assert (found.dataset_id, found.id, found.target) == ("faq", "b", SampleTarget("faq", "b"))
    assert found.trace_ids == ("t2", "t1")
    assert found.annotation_count == 0
    assert found.outputs == {"answer": "5"}
    assert isinstance(found.scores, dict)
    assert math.isnan(found.scores["accuracy"])  # type: ignore[arg-type]
    assert (found.scores["correct"], found.scores["label"]) == (False, 7)
    assert (found.created_at, found.updated_at) == (NOW, NOW)
    assert (found.problems, found.cut) == ((), {})
    other = store.run(RUN).ask(sample_rows.detail, SampleTarget("math", "b"))
    assert other is not None
    assert (other.trace_ids, other.annotation_count) == (("t3",), 2)
    assert other.scores == {"accuracy": math.inf}
    assert store.run(RUN).ask(sample_rows.detail, SampleTarget("math", "nope")) is None


def test_eval_sets_come_with_their_counts(store: Store) -> None:
    assert store.run(RUN).ask(sample_rows.datasets) == (Dataset("faq", 3), Dataset("math", 3))
    assert listed(store, dataset="math") == "mb md me"
    assert listed(store, dataset="nope") == ""


@pytest.mark.parametrize(
    ("column", "ascending", "descending"),
    [
        ("created", "fa fb fc mb md me", "fa fb fc mb md me"),
        ("id", "fa fb mb fc md me", "me md fc fb mb fa"),
        ("dataset", "fa fb fc mb md me", "mb md me fa fb fc"),
        ("annotations", "fa fb fc md me mb", "mb me fa fb fc md"),
        ("traces", "fa fc md me mb fb", "fb mb fa fc md me"),
        ("scores.accuracy", "fa fc mb fb md me", "mb fc fa fb md me"),
        ("scores.correct", "fb fc fa mb md me", "fa fb fc mb md me"),
        ("scores.label", "fb fa fc mb md me", "fb fa fc mb md me"),
        ("metadata.lang", "fb fa fc mb md me", "fa fc fb mb md me"),
        ("inputs.tags[0]", "fa fb fc mb md me", "fa fb fc mb md me"),
    ],
)
def test_samples_are_sorted_by_columns_and_keys_with_missing_and_nan_last(
    store: Store, column: str, ascending: str, descending: str
) -> None:
    assert listed(store, SampleOrder(column)) == ascending
    assert listed(store, SampleOrder(column, descending=True)) == descending


def test_failing_first_counts_failed_checks_then_places_between_extremes(store: Store) -> None:
    assert listed(store, SampleOrder("failing")) == "fb fc md fa mb me"
    assert listed(store, SampleOrder("failing", descending=True)) == "mb fa fb fc md me"


@pytest.mark.parametrize(
    ("view", "found"),
    [
        (SamplesView.ALL, "fa fb fc mb md me"),
        (SamplesView.FAILING_FIRST, "fb fc md fa mb me"),
        (SamplesView.DIFFERING, "fb md"),
        (SamplesView.ERRORS, "fc md"),
        (SamplesView.NOT_ANNOTATED, "fa fb fc md"),
    ],
)
def test_views_choose_and_order(store: Store, view: SamplesView, found: str) -> None:
    assert (
        listed(store, view_order(view) or sample_rows.OLDEST_FIRST, condition=view_condition(view))
        == found
    )


def test_a_view_joins_the_filter(store: Store) -> None:
    condition = view_condition(SamplesView.NOT_ANNOTATED, sample_condition("id = b OR id = c"))
    assert listed(store, condition=condition) == "fb fc"


@pytest.mark.parametrize(
    ("outputs", "refs", "differs"),
    [
        ({"a": "x\n", "b": 1}, {"a": "x", "c": 2}, False),
        ({"a": {"n": [1, "y "]}}, {"a": {"n": [1.0, "y"]}}, False),
        ({"a": math.nan}, {"a": math.nan}, False),
        ({"a": "X"}, {"a": "x"}, True),
        ({"a": 1}, {"a": "1"}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, {"b": 2}, True),
        ({"a": 1, "b": 2}, {"c": 3, "d": 4}, False),
        (None, {"a": 1}, True),
        ({"a": 1}, None, False),
        ("text ", "text", False),
        ([1], [2], True),
    ],
)
def test_what_differs_from_the_reference(
    tmp_path: Path, outputs: object, refs: object, differs: bool
) -> None:
    path = written(tmp_path, (row("x"),)) / RUN / "exp.db"
    texts = tuple(None if value is None else json.dumps(value) for value in (outputs, refs))
    execute(path, "update evals set outputs = ?, refs = ?", [texts])
    with opened(tmp_path) as store:
        condition = view_condition(SamplesView.DIFFERING)
        assert len(store.run(RUN).ask(sample_rows.ordered, condition=condition)) == differs


SCORES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(width=32), st.sampled_from("abAé")
)


def rank(value: Any, descending: bool) -> tuple[Any, ...]:
    if value is None or value != value:
        return (2,)
    if isinstance(value, str):
        code = value.encode()
        return 1, [-byte for byte in code] + ([1] if descending else []) if descending else code
    return 0, -value if descending else value


@given(
    samples=st.lists(st.dictionaries(st.sampled_from("xy"), SCORES), max_size=12),
    descending=st.booleans(),
)
@few
def test_sorting_agrees_with_python(
    directory: Path, samples: list[Mapping[str, Any]], descending: bool
) -> None:
    replaced(directory, "scores", [json.dumps(scores) for scores in samples])
    with opened(directory) as store:
        keys = store.run(RUN).ask(sample_rows.ordered, order=SampleOrder("scores.x", descending))
        ids = [
            int(sample.id)
            for sample in map(store.run(RUN).ask(sample_rows.at, keys).__getitem__, keys)
        ]
    expected = sorted(range(len(samples)), key=lambda n: rank(samples[n].get("x"), descending))
    assert ids == expected


@pytest.mark.parametrize(
    ("text", "value", "problem"),
    [
        (None, None, None),
        ("", None, None),
        ("null", None, None),
        ('"text"', "text", None),
        ("[1, null]", [1, None], None),
        ('{"a": -Infinity}', {"a": -math.inf}, None),
        ("{broken", "{broken", "outputs is broken JSON at character 2"),
        ("[" * 100_000, "[" * 2_000, "outputs is JSON that is nested too deeply"),
        ("[" * 200 + "]" * 200, "[" * 200 + "]" * 200, f"deeper than {MAX_LEVELS} levels"),
        ("1" * 5_000, "1" * 2_000, "too long a number"),
    ],
)
def test_json_of_any_shape_is_read_and_what_is_broken_stays_text(
    directory: Path, text: str | None, value: object, problem: str | None
) -> None:
    replaced(directory, "outputs", [text])
    with opened(directory) as store:
        (found,) = (
            store.run(RUN).ask(sample_rows.at, store.run(RUN).ask(sample_rows.ordered)).values()
        )
        assert store.run(RUN).ask(sample_rows.ordered, order=SampleOrder("outputs.a")) == store.run(
            RUN
        ).ask(sample_rows.ordered)
    assert found.outputs == value
    assert found.unparsed == ({"outputs"} if problem else set())
    assert (problem or "") in " ".join(found.problems)


def test_long_texts_and_lists_are_cut_in_the_list_and_whole_where_asked(directory: Path) -> None:
    long = "x" * 1_000_000
    outputs = {"answer": long, "many": list(range(1_000)), "deep": [{"t": long}]}
    replaced(directory, "outputs", [json.dumps(outputs)])
    with opened(directory) as store:
        keys = store.run(RUN).ask(sample_rows.ordered)
        (cut,) = store.run(RUN).ask(sample_rows.at, keys).values()
        (whole,) = store.run(RUN).ask(sample_rows.at, keys, sample_rows.WHOLE).values()
        detail = store.run(RUN).ask(sample_rows.detail, whole.target)
    assert isinstance(cut.outputs, dict)
    assert cut.outputs["answer"] == "x" * (LISTED.text_chars or 0)
    assert cut.outputs["many"] == list(range(LISTED.items or 0))
    assert cut.cut == {
        "outputs.answer": 1_000_000, "outputs.many": 1_000, "outputs.deep[0].t": 1_000_000,
    }  # fmt: skip
    assert (whole.outputs, whole.cut) == (outputs, {})
    assert detail is not None
    assert detail.outputs == outputs


def test_keys_in_use_come_with_counts_and_types(store: Store) -> None:
    found = {used.name: used.types for used in store.run(RUN).ask(sample_keys.keys)}
    assert found["scores.accuracy"] == {KeyType.NUMBER: 3, KeyType.NULL: 1}
    assert found["scores.label"] == {KeyType.NUMBER: 1, KeyType.TEXT: 1}
    assert found["scores.correct"] == {KeyType.BOOLEAN: 3}
    assert found["inputs.tags"] == {KeyType.LIST: 1}
    scores = store.run(RUN).ask(sample_keys.keys, "faq", ("scores",))
    assert [(used.key, used.count) for used in scores] == [
        ("accuracy", 3), ("correct", 3), ("label", 2),
    ]  # fmt: skip


def test_groups_count_the_samples_of_each_value(store: Store) -> None:
    groups = store.run(RUN).ask(sample_keys.groups, "scores.correct").groups
    assert groups == (SampleGroup(None, 3), SampleGroup(False, 2), SampleGroup(True, 1))
    languages = store.run(RUN).ask(
        sample_keys.groups, "metadata.lang", "faq", sample_condition("id != c")
    )
    assert languages.groups == (SampleGroup("de", 1), SampleGroup("en", 1))
    assert store.run(RUN).ask(sample_keys.groups, "inputs.tags").groups[1] == SampleGroup(
        '["x"]', 1, True
    )
    assert store.run(RUN).ask(sample_keys.groups, "dataset").groups == (
        SampleGroup("faq", 3),
        SampleGroup("math", 3),
    )


def test_true_and_one_are_two_groups(directory: Path) -> None:
    replaced(directory, "scores", ['{"x": 1}', '{"x": 1.0}', '{"x": true}', '{"x": "1"}'])
    with opened(directory) as store:
        groups = store.run(RUN).ask(sample_keys.groups, "scores.x").groups
    assert {(type(group.value), group.count) for group in groups} == {
        (int, 2), (bool, 1), (str, 1),
    }  # fmt: skip


def test_runs_without_tables_have_no_samples_links_or_annotations(directory: Path) -> None:
    path = directory / RUN / "exp.db"
    for table in ("eval_annotations", "eval_traces_bridge"):
        execute(path, f"drop table {table}")
    with opened(directory) as store:
        assert listed(store, SampleOrder("annotations")) == listed(store)
        assert listed(store, SampleOrder("traces")) == listed(store)
        samples = (
            store.run(RUN).ask(sample_rows.at, store.run(RUN).ask(sample_rows.ordered)).values()
        )
        assert {(sample.trace_ids, sample.annotation_count) for sample in samples} == {((), 0)}
    execute(path, "drop table evals")
    with opened(directory) as store:
        for order in (SampleOrder(), SampleOrder("failing")):
            assert not store.run(RUN).ask(sample_rows.ordered, order=order)
        assert store.run(RUN).ask(sample_rows.at, [1]) == {}
        assert store.run(RUN).ask(sample_rows.detail, SampleTarget("faq", "b")) is None
        assert (store.run(RUN).ask(sample_rows.datasets), store.run(RUN).ask(sample_keys.keys)) == (
            (),
            (),
        )
        assert store.run(RUN).ask(sample_keys.groups, "scores.x").groups == ()


@pytest.mark.parametrize("column", [*SORTABLE, "scores.accuracy"])
def test_a_read_of_the_list_can_be_left(store: Store, column: str) -> None:
    with cancelling(lambda: True), pytest.raises(ReadCancelled):
        store.run(RUN).ask(sample_rows.ordered, order=SampleOrder(column))
    with cancelling(lambda: True), pytest.raises(ReadCancelled):
        store.run(RUN).ask(sample_rows.at, [1])
