"""What a filter asks for that no record has: how it is looked for, and what is said of it."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from flowtui.store import names_in_use
from flowtui.store.database import Database
from flowtui.store.filters import (
    run_condition,
    sample_condition,
    span_condition,
    trace_condition,
)
from flowtui.store.samples import listing as sample_rows
from flowtui.store.schema import EvalAnnotationRow, EvalRow, SpanRow
from flowtui.store.store import Store
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces import search as span_search
from tests.unit.stores import NOW, age, execute, opened, writer

T = TypeVar("T")
RUN = "run-1"
TRACES = ("a" * 32, "b" * 32)


def span(number: int, **attributes: Any) -> SpanRow:
    return SpanRow(
        trace_id=TRACES[number % 2], span_id=f"{number:016x}", name="step", start_ns=number,
        end_ns=number + 1, attributes=attributes,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with writer(tmp_path) as writing:
        writing.start_run(RUN, RUN)
        with writing.experiment(RUN) as experiment:
            experiment.params({"lr": 0.1, "none": None, "sched": {"warm-up": 3}})
            experiment.metrics([("loss", math.nan, 0, NOW)])
            experiment.evals(
                EvalRow(
                    dataset_id="s", id=str(n), inputs={"question": "?", "deep": {"level": 1}},
                    scores={"judge": math.nan, "late" if n == 4 else "correct": True},
                    metadata={"lang": None},
                )
                for n in range(5)
            )  # fmt: skip
            experiment.eval_annotations(
                [
                    EvalAnnotationRow(
                        dataset_id="s", eval_id="1", name="answer quality", value=True,
                        user="ana", kind="feedback",
                    )
                ]
            )  # fmt: skip
            experiment.spans([span(0, city="Kyiv"), span(1, model="large", empty=None)])
    age(tmp_path)
    with opened(tmp_path) as opened_store:
        yield opened_store


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loss > 1", ()),
        ("metric.loss is null", ()),
        ("none = 1 or sched.warm-up > 5 or `sched.warm-up` = 3", ()),
        ("lr = LR", ()),
        ("lr > `los`", ('no metric or parameter "los" in this store; closest: loss',)),
        ("param.loss > 1", ('no parameter "loss" in this store; closest: metric.loss',)),
        ("metadata.host = x", ('no metadata "host" in this store',)),
        ("a.b IN (1)", ('no metric or parameter "a.b" in this store',)),
        ("x = 1 and x = 2", ('no metric or parameter "x" in this store',)),
        ("status = x and tag.nosuch = y and created_at > 2020", ()),
        (
            "duraton between 1 and 2",
            ('no metric or parameter "duraton" in this store; closest: duration',),
        ),
    ],
)
def test_what_no_run_has(store: Store, text: str, said: tuple[str, ...]) -> None:
    assert store.list.remarks(run_condition(text)) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("judge > 1 and metadata.lang = x and late = 1", ()),
        ("inputs.deep.level = 1", ()),
        ("annotations.feedback.answer quality = true", ()),
        ("id = x and annotation_count > 3", ()),
        ("inputs.deep.levl = 1", ('no input "deep.levl" in this run; closest: deep',)),
        ("scores.jugde < 1", ('no score "jugde" in this run; closest: judge',)),
        ("refs.answer = outputs.answer", tuple(
            f'no {what} "answer" in this run' for what in ("reference", "output")
        )),
        (
            "annotations.feedback.answer qualty = true",
            ('no annotation "answer qualty" in this run; closest: answer quality',),
        ),
        ("dataste = s", ('no field "dataste" in this run; closest: dataset, dataset_id',)),
        ("annotations.nosuch = 1", ('no annotation "nosuch" in this run',)),
    ],
)  # fmt: skip
def test_what_no_sample_has(store: Store, text: str, said: tuple[str, ...]) -> None:
    assert store.run(RUN).remarks(sample_condition(text), sample_rows.remarks) == said


def test_what_no_trace_and_no_span_of_one_has(store: Store) -> None:
    condition = trace_condition("attributes.city = x or attributes.empty = 1 or modle = y")
    assert store.run(RUN).remarks(condition, trace_rows.remarks) == (
        'no attribute or annotation "modle" in this run; closest: model',
    )
    of_span = span_condition("attributes.city = x and attributes.model = y")
    assert store.run(RUN).remarks(of_span, span_search.remarks, TRACES[0]) == (
        'no attribute "model" in this trace',
    )
    assert store.run(RUN).remarks(of_span, span_search.remarks, TRACES[1]) == (
        'no attribute "city" in this trace',
    )
    assert (
        store.run(RUN).remarks(span_condition("/nosuch = 1/"), span_search.remarks, TRACES[0]) == ()
    )
    assert store.run(RUN).ask(names_in_use.span_names) == (
        "attributes.city",
        "attributes.empty",
        "attributes.model",
    )
    assert store.run(RUN).ask(names_in_use.span_names, TRACES[0]) == ("attributes.city",)


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (4, ('no score "late" among the first 4 samples',)),
        (5, ()),
        (3, ('no score "late" among the first 3 samples',)),
    ],
)
def test_a_bounded_look_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch, bound: int, said: tuple[str, ...]
) -> None:
    monkeypatch.setattr(names_in_use, "LOOKED_AT", bound)
    monkeypatch.setattr(names_in_use, "NAMED_BY", 2)
    assert (
        store.run(RUN).remarks(sample_condition("scores.late = true"), sample_rows.remarks) == said
    )


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The labels of the databases that are read, as they are."""
    found: list[str] = []
    read = Database.read

    def counted(self: Database, question: Callable[[sqlite3.Connection], T], *more: Any) -> T:
        found.append(self.label)
        return read(self, question, *more)

    monkeypatch.setattr(Database, "read", counted)
    return found


def test_a_key_is_looked_for_once_while_nothing_is_written(
    store: Store, tmp_path: Path, reads: list[str]
) -> None:
    for value in ("true", "1", "2"):
        assert (
            store.run(RUN).remarks(sample_condition(f"scores.x = {value}"), sample_rows.remarks)
            != ()
        )
        assert (
            store.run(RUN).remarks(sample_condition(f"correct = {value}"), sample_rows.remarks)
            == ()
        )
    assert len(reads) == 2
    path = tmp_path / RUN / "exp.db"
    execute(path, "update evals set scores = '{\"x\": 1}' where id = '1'")
    assert store.run(RUN).remarks(sample_condition("scores.x = 1"), sample_rows.remarks) == ()
    assert store.run(RUN).remarks(sample_condition("correct = 1"), sample_rows.remarks) == ()
    assert len(reads) == 3


def test_a_filter_without_keys_reads_nothing(store: Store, reads: list[str]) -> None:
    assert store.list.remarks(None) == store.run(RUN).remarks(None, trace_rows.remarks) == ()
    words = sample_condition("one two created_at > 2020")
    assert store.run(RUN).remarks(words, sample_rows.remarks) == (
        '"one" and "two" are searched for as text',
    )
    assert reads == []


def test_what_cannot_be_read_may_have_it(store: Store, tmp_path: Path) -> None:
    (tmp_path / RUN / "exp.db").write_bytes(b"no database" * 100)
    assert store.list.remarks(run_condition("lr > 1")) == (
        'no metric or parameter "lr" in the runs that can be read',
    )


def test_a_run_without_records_has_nothing_to_look_in(store: Store, tmp_path: Path) -> None:
    for table in ("evals", "spans", "eval_annotations", "span_annotations"):
        execute(tmp_path / RUN / "exp.db", f"drop table if exists {table}")
    assert store.run(RUN).remarks(sample_condition("x = 1"), sample_rows.remarks) == ()
    assert store.run(RUN).remarks(trace_condition("x = 1"), trace_rows.remarks) == ()
    assert store.run(RUN).remarks(span_condition("x = 1"), span_search.remarks, TRACES[0]) == ()
    assert store.run(RUN).ask(names_in_use.span_names) == ()
