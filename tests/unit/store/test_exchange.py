"""What the list of traces says that each was about, in every dialect, and how a filter finds it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flowtui.store.errors import FilterError
from flowtui.store.filters import span_condition, trace_condition
from flowtui.store.open_run import OpenRun
from flowtui.store.otlp import files
from flowtui.store.otlp.ingesting import SpanWriter
from flowtui.store.otlp.items import OtlpSpan
from flowtui.store.schema import SpanRow
from flowtui.store.store import Store
from flowtui.store.traces import listing
from flowtui.store.traces.exchange import LISTED_BYTES, LOOKED_AT
from flowtui.store.traces.search import matching
from flowtui.store.traces.values import Trace
from tests.conftest import open_store
from tests.unit.stores import opened, writer

BODIES = Path(__file__).with_name("bodies")
RUN = "run-1"
CITIES = "Weather in Zürich and Oslo?"
BOTH = "Zürich has 21 °C, Oslo 4 °C."
SAID = {
    "google_adk": ("invoke_agent weather_agent", "Weather in Oslo?", "Oslo has 4 °C."),
    "haystack": ("haystack.agent.run", "Weather in Oslo?", BOTH),
    "langfuse": ("agent", "Weather?", 'get_weather({"city": "Oslo"})'),
    "openinference_agno": ("weather_agent.run", "Weather in Oslo?", BOTH),
    "openinference_anthropic": ("agent", CITIES, "Zürich 21 °C, Oslo 4 °C."),
    "openinference_dspy": ("Predict.forward", "Weather in Oslo?", "4 degrees"),
    "openinference_langchain": ("weather", CITIES, f"{BOTH} 🌤"),
    "openinference_llamaindex": ("OpenAILike.chat", "Weather in Oslo?", BOTH),
    "openinference_openai": ("ChatCompletion", "THINK 6*7", "The answer is 42."),
    "pydantic_ai": ("job x=3", CITIES, f"{BOTH} 🌤"),
    "semantic_kernel": ("invoke_agent weather_agent", None, BOTH),
    "strands": ("invoke_agent weather_agent", "Weather in Oslo?", BOTH),
    "traceloop_langchain": ("weather.workflow", "Weather in Oslo?", BOTH),
    "vercel_ai": ("ai.generateText", CITIES, f"{BOTH} 🌤"),
}
"""By body: the name of one of its traces, and what its spans say that was asked and answered."""


def traces_of(run: OpenRun, filter_text: str = "") -> list[Trace]:
    keys = run.ask(listing.ordered, trace_condition(filter_text))
    traces = run.ask(listing.at, keys)
    return [traces[key] for key in keys]


Written = Callable[..., OpenRun]


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    """Return a function that writes spans into a store, and returns their run."""
    stores: list[Store] = []

    def write(*rows: SpanRow) -> OpenRun:
        with writer(tmp_path) as store:
            store.start_run(RUN, RUN)
            with store.experiment(RUN) as experiment:
                experiment.spans(rows)
        stores.append(open_store(tmp_path))
        return stores[0].run(RUN)

    yield write
    for store in stores:
        store.close()


def span(number: int, parent: int | None = None, **said: Any) -> SpanRow:
    """Return a span of the trace `t`; `said` has its name, and its attributes otherwise."""
    return SpanRow(
        trace_id="t",
        span_id=f"{number}",
        parent_span_id=None if parent is None else f"{parent}",
        name=str(said.pop("name", f"span {number}")),
        start_ns=number,
        end_ns=1_000 - number,
        attributes=said,
    )


def chat(number: int, asked: str, answered: str, operation: str = "chat") -> SpanRow:
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": operation,
        "gen_ai.input.messages": json.dumps([{"role": "user", "content": asked}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "content": answered}]),
    }
    return span(number, 1, **attributes)


@pytest.mark.parametrize("body", SAID)
def test_a_trace_says_what_it_was_about_in_every_dialect(body: str, tmp_path: Path) -> None:
    with writer(tmp_path) as store:
        store.start_run(RUN, RUN)
    with opened(tmp_path) as store_:
        path = BODIES / f"{body}.json"
        with SpanWriter(store_.run(RUN).database) as spans, path.open("rb") as stream:
            for item in files.items(stream):
                if isinstance(item, OtlpSpan):
                    spans.add(item)
        found = traces_of(store_.run(RUN))
    assert SAID[body] in [(one.root_name, one.input, one.output) for one in found]


def test_what_was_asked_before_is_history(written: Written) -> None:
    turns = [("user", "one"), ("assistant", "two"), ("user", "three\nfour")]
    heard = json.dumps([{"role": role, "content": text} for role, text in turns])
    run = written(span(1, None, **{"gen_ai.input.messages": heard}))
    (trace,) = traces_of(run)
    assert (trace.input, trace.output) == ("three\nfour", None)


def test_a_root_that_says_nothing_leaves_it_to_the_first_and_the_last_chat(
    written: Written,
) -> None:
    run = written(
        span(1, name="POST"),
        chat(2, "guessed", "guessed", operation="embeddings"),
        chat(3, "asked", "a plan"),
        chat(4, "go on", "answered first"),
    )
    (trace,) = traces_of(run)
    # The last to end is the one that began first.
    assert (trace.input, trace.output) == ("asked", "a plan")


def test_no_more_than_some_spans_are_looked_at(written: Written) -> None:
    beside = [span(number, 1) for number in range(2, 2 * LOOKED_AT + 3)]
    middle = LOOKED_AT + 2
    run = written(span(1), *(one for one in beside if one.span_id != f"{middle}"),
                  chat(middle, "asked", "answered"))  # fmt: skip
    (trace,) = traces_of(run)
    assert (trace.input, trace.output, trace.is_unsaid) == (None, None, False)


def test_a_span_that_is_too_long_for_the_list_says_so_and_is_found_all_the_same(
    written: Written,
) -> None:
    long = "x" * LISTED_BYTES + " needle"
    run = written(span(1, None, **{"input.value": long, "output.value": "y"}))
    (trace,) = traces_of(run)
    assert (trace.input, trace.output, trace.is_unsaid) == (None, None, True)
    assert len(traces_of(run, 'input contains "needle"')) == 1
    assert not traces_of(run, "not input contains needle")


def test_a_text_that_is_cut_says_so(written: Written) -> None:
    run = written(span(1, None, **{"input.value": "x" * 5_000}))
    (trace,) = traces_of(run)
    assert trace.input == "x" * listing.SAID_CHARS + "…"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"question": "Why?", "history": []}, "Why?"),
        ({"a": "b", "n": 1}, '{"a": "b", "n": 1}'),
        ("plain", "plain"),
        ("\ud800", "?"),
        ("", None),
        ({}, None),
        ([["deep"]], "deep"),
        ("[" * 5_000, "[" * 2_000 + "…"),
    ],
)
def test_values_of_any_shape_are_one_text(
    written: Written, value: object, shown: str | None
) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    (trace,) = traces_of(written(span(1, None, **{"input.value": text})))
    assert trace.input == shown


def test_filters_reach_what_the_list_shows_of_the_demo(demo: Store) -> None:
    run = demo.resolve("support-agent-v3")
    everything = traces_of(run)
    for field in ("input", "output"):

        def text_of(one: Trace, field: str = field) -> str | None:
            return one.input if field == "input" else one.output

        for needle in ("refund", "invoice", "届け", "nowhere to be found"):
            wanted = {
                one.trace_id for one in everything if needle.lower() in (text_of(one) or "").lower()
            }
            found = traces_of(run, f'{field} contains "{needle}"')
            assert {one.trace_id for one in found} == wanted, (field, needle)
        silent = {one.trace_id for one in everything if text_of(one) is None}
        assert {one.trace_id for one in traces_of(run, f"{field} is null")} == silent


@pytest.mark.parametrize("needle", ["'said \"déjà'", "'DÉJÀ vu'", "'C:\\temp'"])
def test_a_search_sees_through_the_escapes_of_json_in_json(written: Written, needle: str) -> None:
    asked = 'He said "déjà vu" of C:\\temp'
    run = written(span(1), chat(2, asked, "…"), chat(3, "…", "other"))
    assert len(traces_of(run, needle)) == 1
    assert run.ask(matching, "t", span_condition(needle)) == {"2"}
    assert not traces_of(run, needle.replace("d", "x").replace("D", "x").replace("t", "x"))


def test_a_span_is_found_by_the_name_that_is_shown(written: Written) -> None:
    run = written(span(1, None, name="job {x}", **{"logfire.msg": "job 9"}), span(2, 1))
    assert run.ask(matching, "t", span_condition('name = "job 9"')) == {"1"}
    assert not run.ask(matching, "t", span_condition('name = "job {x}"'))
    for text in ("'job {x}'", "'job 9'"):
        assert run.ask(matching, "t", span_condition(text)) == {"1"}


def test_a_common_word_on_the_right_of_a_comparison_is_text(written: Written) -> None:
    run = written(span(1, None, role="user", **{"user.id": "ana"}))
    assert len(traces_of(run, "attributes.role = user")) == 1
    assert len(traces_of(run, "user = ana")) == 1
    with pytest.raises(FilterError):
        trace_condition("input > ")


def test_names_are_filtered_and_sorted_as_they_are_shown(written: Written) -> None:
    rows = [
        SpanRow(trace_id=id_, span_id="1", name="job {x}", start_ns=1, end_ns=2,
                parent_span_id=None, attributes=attributes)
        for id_, attributes in (
            ("a", {"logfire.msg": "job 10"}), ("b", {"logfire.msg": "job 9"}), ("c", {}),
        )
    ]  # fmt: skip
    run = written(*rows)
    assert [one.trace_id for one in traces_of(run, 'name = "job 9"')] == ["b"]
    assert [one.trace_id for one in traces_of(run, 'name = "job {x}"')] == ["c"]
    keys = run.ask(listing.ordered, None, listing.TraceOrder("name", descending=False))
    traces = run.ask(listing.at, keys)
    assert [traces[key].root_name for key in keys] == ["job 9", "job 10", "job {x}"]
