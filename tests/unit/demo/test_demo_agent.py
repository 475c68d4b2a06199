"""What the demo's agent run holds: traces, eval sets, annotations."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from flowtui.demo import make_demo
from tests.unit.demo.test_demo import NOW, folder_of, query

Span = tuple[str, str | None, int, int]


@pytest.fixture(scope="module")
def exp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo")
    make_demo(directory, NOW)
    return folder_of(directory, "support-agent-v3") / "exp.db"


@pytest.fixture(scope="module")
def traces(exp: Path) -> dict[str, list[Span]]:
    """Gives (span id, parent id, start, end) of each span, by trace."""
    spans: dict[str, list[Span]] = defaultdict(list)
    for trace_id, span_id, parent, start, end in query(
        exp,
        "select trace_id, span_id, parent_span_id, start_time_unix_nano, end_time_unix_nano"
        " from spans order by rowid",
    ):
        spans[trace_id].append((span_id, parent, start, end))
    return spans


def depth(spans: list[Span]) -> int:
    parents = {span_id: parent for span_id, parent, _, _ in spans}

    def level(span_id: str | None) -> int:
        return 0 if span_id not in parents else 1 + level(parents[span_id])

    return max(level(span_id) for span_id in parents)


def test_traces_have_many_shapes(traces: dict[str, list[Span]]) -> None:
    assert len(traces) == 46
    sizes = sorted(len(spans) for spans in traces.values())
    assert 550 <= sizes[-1] <= 700
    assert max(map(depth, traces.values())) == 15


def test_ids_are_hex_and_every_span_ends_after_it_starts(traces: dict[str, list[Span]]) -> None:
    for trace_id, spans in traces.items():
        assert len(trace_id) == 32
        assert int(trace_id, 16)
        for span_id, _, start, end in spans:
            assert len(span_id) == 16
            assert int(span_id, 16)
            assert start < end


def test_spans_are_written_in_the_order_in_which_they_ended(
    traces: dict[str, list[Span]],
) -> None:
    for spans in traces.values():
        ends = [end for *_, end in spans]
        assert ends == sorted(ends)


def test_one_trace_has_no_root_yet_and_one_has_an_orphan(traces: dict[str, list[Span]]) -> None:
    rootless, orphaned = [], []
    for trace_id, spans in traces.items():
        ids = {span_id for span_id, *_ in spans}
        roots = [span_id for span_id, parent, _, _ in spans if parent is None]
        lost = [parent for _, parent, _, _ in spans if parent is not None and parent not in ids]
        if not roots:
            rootless.append(trace_id)
        elif lost:
            orphaned.append(trace_id)
    assert len(rootless) == 1
    assert len(orphaned) == 1


def test_one_span_starts_before_its_parent(traces: dict[str, list[Span]]) -> None:
    early = 0
    for spans in traces.values():
        starts = {span_id: start for span_id, _, start, _ in spans}
        early += sum(
            parent in starts and start < starts[parent] for _, parent, start, _ in spans if parent
        )
    assert early == 1


def test_attributes_come_in_four_dialects(exp: Path) -> None:
    found: Counter[str] = Counter()
    for (text,) in query(exp, "select attributes from spans where attributes is not null"):
        keys = json.loads(text).keys()
        found["otel"] += "gen_ai.input.messages" in keys
        found["openinference"] += "llm.input_messages.0.message.role" in keys
        found["traceloop"] += "gen_ai.prompt.0.role" in keys
        found["mlflow"] += "mlflow.spanInputs" in keys
        found["retrieval"] += "retrieval.documents.2.document.score" in keys
    assert all(found[name] >= 5 for name in found)
    assert len(found) == 5


def test_json_messages_can_be_read_and_pair_tool_calls_with_results(exp: Path) -> None:
    parts: Counter[str] = Counter()
    for (text,) in query(
        exp, "select attributes from spans where attributes like '%gen_ai.input.messages%'"
    ):
        attributes = json.loads(text)
        for side in ("gen_ai.input.messages", "gen_ai.output.messages"):
            for message in json.loads(attributes[side]):
                parts.update(part["type"] for part in message["parts"])
    assert set(parts) == {"text", "reasoning", "tool_call", "tool_call_response"}


def test_a_parent_repeats_the_tokens_of_its_children(exp: Path) -> None:
    usage = "json_extract(attributes, '$.\"gen_ai.usage.input_tokens\"')"
    repeating = query(
        exp,
        f"select parent.span_id from spans as parent join spans as child"
        f" on child.trace_id = parent.trace_id and child.parent_span_id = parent.span_id"
        f" group by parent.trace_id, parent.span_id"
        f" having max({usage.replace('attributes', 'parent.attributes')})"
        f" = sum({usage.replace('attributes', 'child.attributes')})",
    )
    assert len(repeating) >= 10


def test_errors_carry_exceptions_with_stack_traces(exp: Path) -> None:
    failed = query(exp, "select events from spans where status_code = 2 and events is not null")
    assert len(failed) >= 8
    for (text,) in failed:
        (event,) = json.loads(text)
        assert event["name"] == "exception"
        assert "Traceback" in event["attributes"]["exception.stacktrace"]
    assert query(
        exp, "select count(*) from spans where status_code = 2 and parent_span_id is null"
    ) == [(2,)]


def test_links_lead_to_spans_that_exist(exp: Path) -> None:
    ids = set(query(exp, "select trace_id, span_id from spans"))
    links = [
        link
        for (text,) in query(exp, "select links from spans where links is not null")
        for link in json.loads(text)
    ]
    assert len(links) == 5
    assert all((link["trace_id"], link["span_id"]) in ids for link in links)


def test_eval_sets_have_scores_of_every_type_and_gaps(exp: Path) -> None:
    counts = query(exp, "select dataset_id, count(*), count(outputs) from evals group by 1")
    assert counts == [("faq_v1", 240, 240), ("hard_v2", 220, 220)]
    types: dict[str, set[str]] = defaultdict(set)
    keys: Counter[str] = Counter()
    for (text,) in query(exp, "select scores from evals where scores is not null"):
        for key, value in json.loads(text).items():
            types[key].add(type(value).__name__)
            keys[key] += 1
    assert {kind for kinds in types.values() for kind in kinds} == {"bool", "float", "int", "str"}
    assert all(len(kinds) == 1 for kinds in types.values())
    assert keys["toxicity"] < keys["faithfulness"] < keys["correct"] < 460


def test_the_hard_set_fails_more_often(exp: Path) -> None:
    rates: dict[str, float] = dict(
        query(
            exp, "select dataset_id, avg(json_extract(scores, '$.correct')) from evals group by 1"
        )
    )
    assert 0.85 < rates["faq_v1"] < 0.97
    assert 0.45 < rates["hard_v2"] < 0.7


def test_samples_lead_to_their_traces(exp: Path) -> None:
    ((links, samples, with_spans),) = query(
        exp,
        "select count(*), count(evals.id), sum(trace_id in (select trace_id from spans))"
        " from eval_traces_bridge left join evals"
        " on evals.dataset_id = eval_dataset_id and evals.id = eval_id",
    )
    assert links == samples == with_spans == 28


@pytest.mark.parametrize("table", ["eval_annotations", "span_annotations"])
def test_two_people_left_feedback_and_expectations(exp: Path, table: str) -> None:
    found = query(exp, f"select user, annotation_kind, value_type, value from {table}")
    assert {row[0] for row in found} == {"ana", "sam"}
    assert {row[1:3] for row in found} >= {
        ("feedback", "bool"),
        ("expectation", "int"),
        ("expectation", "bool"),
    }
    assert {row[3] for row in found if row[2] == "bool"} == {"true", "false"}
    assert len(found) > 40
