"""The spans of one trace: their order, what they are, what is broken, and one in full."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled
from flowtui.store.genai import SpanKind, Usage
from flowtui.store.schema import SpanAnnotationRow, SpanRow
from flowtui.store.traces import details as span_details
from flowtui.store.traces import spans as span_rows
from flowtui.store.traces.tree import span_tree
from flowtui.store.traces.values import Span
from tests.unit.stores import execute, opened, writer

RUN = "run-1"
TRACE = "a" * 32


def span(span_id: str, start: int = 0, end: int = 10, **more: Any) -> SpanRow:
    return SpanRow(
        trace_id=more.pop("trace_id", TRACE),
        span_id=span_id,
        name=more.pop("name", span_id),
        start_ns=start,
        end_ns=end,
        **more,
    )


def written(
    directory: Path, rows: Sequence[SpanRow], annotated: Sequence[SpanAnnotationRow] = ()
) -> Path:
    """Makes a store with a run that has these spans, and gives its exp.db."""
    with writer(directory) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.spans(rows)
            experiment.span_annotations(annotated)
    return directory / RUN / "exp.db"


def read(directory: Path) -> tuple[Span, ...]:
    with opened(directory) as store:
        return tuple(store.run(RUN).ask(span_rows.spans, TRACE))


def test_spans_come_by_start_then_id_and_those_without_a_start_last(tmp_path: Path) -> None:
    rows = [("late", 5), ("b", 1), ("none", 0), ("a", 1)]
    written(tmp_path, [*(span(*row) for row in rows), span("x", trace_id="b" * 32)])
    assert [found.span_id for found in read(tmp_path)] == ["a", "b", "late", "none"]


def test_a_skeleton_says_what_a_span_is_and_took(tmp_path: Path) -> None:
    called = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 12}
    note = SpanAnnotationRow(
        trace_id=TRACE, span_id="s", name="good", kind="feedback", value=True, user="ana"
    )
    row = span("s", 3, 8, parent_span_id="p", kind=3, status_code=2, attributes=called)
    written(tmp_path, [row, span("n", 10)], [note])
    first, other = read(tmp_path)
    assert first == Span(
        TRACE, "s", "p", "s", 3, 1, SpanKind.CHAT, 3, 8, 2, Usage(input_tokens=12), 1, False, None,
    )  # fmt: skip
    assert other.usage is None


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"openinference.span.kind": "RETRIEVER"}, SpanKind.RETRIEVER),
        ({"traceloop.span.kind": "workflow"}, SpanKind.WORKFLOW),
        ({"llm.request.type": "rerank"}, SpanKind.RERANKER),
        ({"mlflow.spanType": '"AGENT"'}, SpanKind.AGENT),
        ({"langfuse.observation.type": "generation"}, SpanKind.CHAT),
        ({"ai.operationId": "ai.toolCall"}, SpanKind.TOOL),
        ({"haystack.component.type": "OpenAIChatGenerator"}, SpanKind.CHAT),
        ({"pydantic_ai.all_messages": "[1]"}, SpanKind.AGENT),
        ({"gcp.vertex.agent.llm_request": '{"model": "m"}'}, SpanKind.CHAT),
        ({"anything": "chat"}, SpanKind.OTHER),
    ],
)
def test_the_kind_is_found_in_each_dialect(
    tmp_path: Path, attributes: dict[str, str], kind: SpanKind
) -> None:
    written(tmp_path, [span("s", attributes=attributes)])
    assert read(tmp_path)[0].genai_kind is kind


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.usage.output_tokens": 7},
        {"llm.usage.completion_tokens": 7},
        {"llm.token_count.completion": 7},
        {"mlflow.chat.tokenUsage": '{"output_tokens": 7}'},
        {"ai.usage.outputTokens": 7},
        {"langfuse.observation.usage_details": '{"output": 7}'},
        {"gen_ai.usage.raw": '{"completion_tokens": 7}'},
    ],
)
def test_usage_is_found_in_each_dialect(tmp_path: Path, attributes: dict[str, object]) -> None:
    written(tmp_path, [span("s", attributes=attributes)])
    assert read(tmp_path)[0].usage == Usage(output_tokens=7)


@pytest.mark.parametrize("name", ["llm.cost.total", "mlflow.llm.cost"])
def test_cost_alone_is_usage(tmp_path: Path, name: str) -> None:
    cost = 0.5 if name == "llm.cost.total" else '{"total_cost": 0.5}'
    written(tmp_path, [span("s", attributes={name: cost})])
    assert read(tmp_path)[0].usage == Usage(cost=0.5)


@pytest.mark.parametrize("scope", ["other", "same"])
def test_a_call_of_two_instrumentations_is_counted_once_in_its_tree(
    tmp_path: Path, scope: str
) -> None:
    def call(made_by: str) -> dict[str, object]:
        used = {"gen_ai.usage.input_tokens": 4, "gen_ai.response.id": "r"}
        return {**used, "otel.scope": {"name": made_by}}

    rows = [
        span("a", 1, attributes=call("same"), parent_span_id="root"),
        span("b", 2, attributes=call(scope), parent_span_id="root"),
        span("root", 1),
    ]
    written(tmp_path, rows)
    with opened(tmp_path) as store:
        tree = span_tree(store.run(RUN).ask(span_rows.spans, TRACE))
    assert tree.usage == Usage(input_tokens=4 if scope == "other" else 8)


def test_a_span_has_the_title_that_its_template_became(tmp_path: Path) -> None:
    said = {"logfire.msg": "job 3", "logfire.msg_template": "job {x}", "logfire.span_type": "span"}
    written(tmp_path, [span("s", name="job {x}", attributes=said)])
    assert read(tmp_path)[0].name == "job 3"


def test_a_placeholder_of_a_span_that_goes_on_is_told_apart(tmp_path: Path) -> None:
    said = {"logfire.span_type": "pending_span", "logfire.pending_parent_id": "cc"}
    written(tmp_path, [span("s", parent_span_id="b", attributes=said)])
    (found,) = read(tmp_path)
    assert (found.is_pending, found.pending_parent_id) == (True, "cc")


@pytest.mark.parametrize("parent", [None, "", "0" * 16])
def test_an_empty_parent_and_one_of_zeros_are_none(tmp_path: Path, parent: str | None) -> None:
    written(tmp_path, [span("s", parent_span_id=parent)])
    assert read(tmp_path)[0].parent_id is None


@pytest.mark.parametrize(
    "raw",
    ["{broken gen_ai.usage.", "[1, gen_ai.usage.]", '["span.kind"]', "null", "", "[" * 100_000],
)
def test_attributes_that_are_no_object_do_not_fail_the_read(tmp_path: Path, raw: str) -> None:
    path = written(tmp_path, [span("s")])
    execute(path, "update spans set attributes = ?, events = ?, links = ?", [(raw, raw, raw)])
    (found,) = read(tmp_path)
    assert found.usage is None
    assert found.genai_kind is SpanKind.OTHER
    with opened(tmp_path) as store:
        found_detail = store.run(RUN).ask(span_details.detail, TRACE, "s")
    assert found_detail is not None
    assert found_detail.attributes == {}
    is_nothing = raw in ("null", "")
    assert ("attributes" in found_detail.unparsed) is not is_nothing
    assert bool(found_detail.problems) is not is_nothing


def test_columns_of_other_types_do_not_fail_the_read(tmp_path: Path) -> None:
    path = written(tmp_path, [span("s")])
    execute(path, "update spans set kind = 'x', status_code = null, start_time_unix_nano = 'soon'")
    (found,) = read(tmp_path)
    assert (found.kind, found.status_code, found.start_ns) == (0, 0, 0)


def test_a_store_without_annotation_tables_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, [span("s")])
    execute(path, "drop table span_annotations")
    assert read(tmp_path)[0].annotation_count == 0


def test_a_run_without_a_table_of_spans_has_none(tmp_path: Path) -> None:
    path = written(tmp_path, [])
    execute(path, "drop table span_annotations")
    execute(path, "drop table spans")
    assert read(tmp_path) == ()
    with opened(tmp_path) as store:
        assert store.run(RUN).ask(span_details.detail, TRACE, "s") is None


def test_one_span_is_given_in_full(tmp_path: Path) -> None:
    row = span(
        "s",
        attributes={"a": "é", "n": [1, 2]},
        events=[{"name": "tick", "timestamp": 4, "attributes": {"k": 1}}],
        links=[{"trace_id": "t", "span_id": "u", "trace_flags": 1}],
        status_message="done",
    )
    path = written(tmp_path, [row])
    execute(path, "update spans set created_at = '2026-06-01 12:00:00'")
    with opened(tmp_path) as store:
        found = store.run(RUN).ask(span_details.detail, TRACE, "s")
        assert store.run(RUN).ask(span_details.detail, TRACE, "other") is None
    assert found is not None
    assert found.attributes == {"a": "é", "n": [1, 2]}
    (event,) = found.events
    assert (event.name, event.timestamp_ns, event.attributes) == ("tick", 4, {"k": 1})
    (link,) = found.links
    assert (link.trace_id, link.span_id) == ("t", "u")
    assert (found.status_message, found.problems, found.unparsed) == ("done", (), {})
    assert found.created_at == datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert found.sizes["events"] > found.sizes["links"] > 0


def test_items_that_are_no_events_are_named_as_problems(tmp_path: Path) -> None:
    path = written(tmp_path, [span("s")])
    execute(path, "update spans set events = '[3, {}]', links = '[null]'")
    with opened(tmp_path) as store:
        found = store.run(RUN).ask(span_details.detail, TRACE, "s")
    assert found is not None
    assert [event.timestamp_ns for event in found.events] == [None, None]
    assert found.problems == (
        "events holds an item that is not an object",
        "events holds an event without a time",
        "links holds an item that is not an object",
    )


def test_a_read_of_spans_can_be_left(tmp_path: Path) -> None:
    written(tmp_path, [span(f"{index}") for index in range(20)])
    with opened(tmp_path) as store, cancelling(lambda: True), pytest.raises(ReadCancelled):
        store.run(RUN).ask(span_rows.spans, TRACE)
