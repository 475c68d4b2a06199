"""Values of any length: read whole, cut afterwards leaf by leaf, and too long said as too long."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from flowtui import format as fmt
from flowtui.reports import otlp_json, traces
from flowtui.reports.trace_list import print_traces
from flowtui.reports.trace_markdown import trace_markdown
from flowtui.screens.traces.columns import cells
from flowtui.screens.traces.reading import read_trace
from flowtui.screens.traces.summary import summary
from flowtui.store import bounded_json
from flowtui.store.annotations.values import SampleTarget
from flowtui.store.samples import listing
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.listing import LISTED
from flowtui.store.schema import EvalRow, SpanRow
from flowtui.store.store import Store
from flowtui.store.traces import details as span_details
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces.values import SpanDetail
from flowtui.widgets.documents.blocks import Block, Link, Section, Text, Turn, Values
from flowtui.widgets.documents.bounded_blocks import TEXT_CHARS
from flowtui.widgets.documents.layout import laid_out
from flowtui.widgets.documents.runs import Folds
from flowtui.widgets.documents.sample_sections import sample_sections
from flowtui.widgets.documents.span_sections import raw_sections, span_sections
from flowtui.widgets.lists.virtual_table import Column
from tests.unit.stores import execute, opened, writer

RUN, TRACE = "run-1", "a" * 32
PICTURE_BYTES = 400_000
PICTURE = base64.b64encode(bytes(PICTURE_BYTES)).decode()


def detail_of(directory: Path, whole: bool = False, **more: Any) -> SpanDetail:
    with writer(directory) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            row = SpanRow(trace_id=TRACE, span_id="s", name="chat", start_ns=1, end_ns=9, **more)
            experiment.spans([row])
    with opened(directory) as store:
        found = store.run(RUN).ask(span_details.detail, TRACE, "s", whole)
    assert found is not None
    return found


def blocks(sections: tuple[Section, ...], key: str = "messages") -> Iterator[Block]:
    """Yield the blocks of a section, those inside of others too."""
    pending: list[Block] = [
        block for section in sections if section.key == key for block in section.blocks
    ]
    while pending:
        block = pending.pop(0)
        yield block
        if isinstance(block, Turn):
            pending[:0] = block.blocks


def links(sections: tuple[Section, ...]) -> list[str]:
    return [block.label for block in blocks(sections) if isinstance(block, Link)]


def said(sections: tuple[Section, ...]) -> list[str]:
    return [block.text for block in blocks(sections) if isinstance(block, Text)]


def media(shape: str) -> Mapping[str, Any]:
    url = f"data:image/png;base64,{PICTURE}"
    return {
        "otel": {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PICTURE},
        "openai": {"type": "image_url", "image_url": {"url": url}},
        "anthropic": {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": PICTURE},
        },
    }[shape]


@pytest.mark.parametrize("shape", ["otel", "openai", "anthropic"])
@pytest.mark.parametrize("name", ["gen_ai.input.messages", "gen_ai.prompt", "input.value"])
@pytest.mark.parametrize("as_text", [True, False])
def test_a_chat_with_a_picture_is_read_to_its_last_turn(
    tmp_path: Path, shape: str, name: str, as_text: bool
) -> None:
    chat: Any = [
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, media(shape)]},
        {"role": "assistant", "content": "A cat."},
        {"role": "user", "content": "And now?"},
    ]
    sections = span_sections(
        detail_of(tmp_path, attributes={name: json.dumps(chat) if as_text else chat})
    )
    assert [turn.name for turn in sections_of(sections)] == ["user", "assistant", "user"]
    assert said(sections) == ["What is this?", "A cat.", "And now?"]
    size = fmt.size(PICTURE_BYTES)
    assert links(sections) == [f"picture  image/png, {size}   Enter shows it"]


def sections_of(sections: tuple[Section, ...]) -> list[Turn]:
    (section,) = (section for section in sections if section.key == "messages")
    return [block for block in section.blocks if isinstance(block, Turn)]


@pytest.mark.parametrize("length", [TEXT_CHARS - 1, TEXT_CHARS, TEXT_CHARS + 1, 3 * TEXT_CHARS])
def test_a_long_text_in_a_chat_is_its_first_part_with_its_true_length(
    tmp_path: Path, length: int
) -> None:
    chat = [{"role": "user", "content": "x" * length}, {"role": "assistant", "content": "Yes."}]
    sections = span_sections(
        detail_of(tmp_path, attributes={"gen_ai.input.messages": json.dumps(chat)})
    )
    first, second = [block for block in blocks(sections) if isinstance(block, Text)]
    assert first.text == "x" * min(length, TEXT_CHARS)
    assert first.full_chars == (length if length > TEXT_CHARS else None)
    assert (second.text, second.full_chars) == ("Yes.", None)


def test_events_are_read_before_they_are_cut(tmp_path: Path) -> None:
    asked = {"content": json.dumps([{"type": "text", "text": "Look"}, media("openai")])}
    events = [
        {"name": "gen_ai.user.message", "timestamp": 2, "attributes": asked},
        {"name": "gen_ai.choice", "timestamp": 3, "attributes": {"message": '{"content": "Ok"}'}},
    ]
    sections = span_sections(detail_of(tmp_path, events=events))
    assert said(sections) == ["Look", "Ok"]
    assert links(sections) == ["picture  image/png, 400 kB   Enter shows it"]


def test_arguments_of_a_tool_are_data_however_long(tmp_path: Path) -> None:
    arguments = json.dumps({"text": "x" * (TEXT_CHARS + 5), "last": 7})
    called = [
        {
            "role": "assistant",
            "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": arguments}}],
        }
    ]
    attributes = {
        "gen_ai.tool.name": "f",
        "gen_ai.tool.call.arguments": arguments,
        "gen_ai.output.messages": json.dumps(called),
    }
    sections = span_sections(detail_of(tmp_path, attributes=attributes))
    for key in ("messages", "tool"):
        (tree,) = [block for block in blocks(sections, key) if isinstance(block, Values)]
        assert tree.values["last"] == 7
        assert tree.values["text"] == "x" * TEXT_CHARS
        assert tree.cut == {"text": TEXT_CHARS + 5}


def test_a_cut_deep_in_a_tree_says_how_long_the_value_is(tmp_path: Path) -> None:
    found = detail_of(tmp_path, attributes={"a.b": {"c": ["x" * (TEXT_CHARS + 5)]}})
    key = ("attributes", "attributes")
    leaf = (*key, "a.b", "c", 0)
    folds = Folds(are_open={(*key, "a.b"): True, (*key, "a.b", "c"): True, leaf: True})
    layout = laid_out(span_sections(found), 100, folds)
    lines = [
        "".join(piece.text for piece in layout.at(at)[0].line(layout.at(at)[1]))
        for at in range(layout.line_count)
    ]
    assert any("500,005 characters" in line for line in lines)
    folds.shown[leaf] = TEXT_CHARS
    layout = laid_out(span_sections(found), 100, folds)
    shown = "\n".join(
        "".join(piece.text for piece in layout.at(n)[0].line(layout.at(n)[1]))
        for n in range(layout.line_count)
    )
    assert "first 500,000 of 500,005 characters" in shown


def test_the_raw_look_is_cut_leaf_by_leaf_too() -> None:
    (section,) = raw_sections({"attributes": {"a": "x" * (TEXT_CHARS + 1), "b": 1}})
    (tree,) = section.blocks
    assert isinstance(tree, Values)
    assert tree.cut == {"attributes.a": TEXT_CHARS + 1}


def test_data_of_a_thousand_levels_is_shown_as_it_stands(tmp_path: Path) -> None:
    deep = '{"a": ' * 300 + "1" + "}" * 300
    sections = span_sections(detail_of(tmp_path, attributes={"input.value": deep}))
    assert [section.key for section in sections][:2] == ["head", "messages"]


def test_a_sample_is_read_before_it_is_cut(tmp_path: Path) -> None:
    chat = [
        {"role": "user", "content": [{"type": "text", "text": "Look"}, media("openai")]},
        {"role": "assistant", "content": "x" * (TEXT_CHARS + 1)},
    ]
    with writer(tmp_path) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.evals([EvalRow(dataset_id="faq", id="1", inputs={"messages": chat})])
    with opened(tmp_path) as store:
        sample = store.run(RUN).ask(sample_rows.detail, SampleTarget("faq", "1"))
    assert sample is not None
    sections = sample_sections(sample)
    texts = [block for block in blocks(sections, "said") if isinstance(block, Text)]
    assert [(text.text[:5], text.full_chars) for text in texts[:2]] == [
        ("Look", None), ("xxxxx", TEXT_CHARS + 1),
    ]  # fmt: skip
    (medium,) = [block for block in blocks(sections, "said") if isinstance(block, Link)]
    assert medium.label == "picture  image/png, 400 kB   Enter shows it"


# Too long to be parsed ------------------------------------------------------------------------

LIMIT = 2_000


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A trace of two spans, one of which says more than is parsed."""
    monkeypatch.setattr(bounded_json, "PARSED_BYTES", LIMIT)
    used = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5}
    rows = [
        SpanRow(trace_id=TRACE, span_id="r", name="root", start_ns=1, end_ns=9, attributes=used),
        SpanRow(
            trace_id=TRACE, span_id="s", name="large", start_ns=2, end_ns=8, parent_span_id="r",
            attributes={**used, "input.value": "é" * 2 * LIMIT},
        ),
    ]  # fmt: skip
    with writer(tmp_path) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.spans(rows)
    raw = json.dumps({**used, "input.value": "é" * 2 * LIMIT}, ensure_ascii=False)
    execute(
        tmp_path / RUN / "exp.db", "update spans set attributes = ? where span_id = 's'", [(raw,)]
    )
    with opened(tmp_path) as store:
        yield store


def test_what_is_too_long_says_so_with_its_true_length(large: Store) -> None:
    found = large.run(RUN).ask(span_details.detail, TRACE, "s")
    assert found is not None
    chars = found.sizes["attributes"]
    (problem,) = found.problems
    assert problem == f"attributes is {chars:,} characters of JSON, too many to be parsed here"
    whole = large.run(RUN).ask(span_details.detail, TRACE, "s", whole=True)
    assert whole is not None
    assert (whole.problems, whole.attributes["input.value"]) == ((), "é" * 2 * LIMIT)
    assert chars == len(json.dumps(whole.attributes, ensure_ascii=False))


def test_totals_say_that_a_span_is_missing_in_them(
    large: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    run = large.run(RUN)
    (trace,) = run.ask(trace_rows.at, run.ask(trace_rows.ordered)).values()
    assert (trace.unread_count, cells(trace, [Column("tokens", "tokens", 8)])[0].text) == (1, "≥5")
    read = read_trace(large.run(RUN), TRACE, None)
    assert read.tree.unread_count == 1
    line = "".join(piece.text for piece in summary(read, "", 120))
    assert "▲ 1 span too long to read" in line
    print_traces(run, style="json")
    (document,) = json.loads(capsys.readouterr().out)
    assert document["unread_span_count"] == 1


def test_a_sample_that_is_too_long_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bounded_json, listing):
        monkeypatch.setattr(module, "PARSED_BYTES", LIMIT)
    with writer(tmp_path) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.evals([EvalRow(dataset_id="faq", id="1", inputs={"a": "x" * LIMIT})])
            experiment.evals([EvalRow(dataset_id="faq", id="2", inputs={"a": "y"})])
    with opened(tmp_path) as store:
        run = store.run(RUN)
        keys = run.ask(sample_rows.ordered)
        found = run.ask(sample_rows.detail, SampleTarget("faq", "1"))
        whole, _ = run.ask(sample_rows.at, keys, sample_rows.WHOLE).values()
        listed, short = run.ask(sample_rows.at, keys).values()
    assert found is not None
    chars = len(json.dumps({"a": "x" * LIMIT}))
    assert found.problems == (
        f"inputs is {chars:,} characters of JSON, too many to be parsed here",
    )
    assert (found.unparsed, found.inputs) == ({"inputs"}, json.dumps({"a": "x" * LIMIT}))
    assert (whole.problems, whole.inputs) == ((), {"a": "x" * LIMIT})
    kept = LISTED.text_chars
    assert (listed.problems, listed.unparsed) == (found.problems, found.unparsed)
    assert (listed.inputs, listed.cut) == (json.dumps({"a": "x" * LIMIT})[:kept], {"inputs": chars})
    assert (short.problems, short.inputs, short.cut) == ((), {"a": "y"}, {})


def test_exports_have_what_is_too_long_to_be_shown(large: Store) -> None:
    whole = large.run(RUN).ask(span_details.detail, TRACE, "s", whole=True)
    assert whole is not None
    said = {one["key"]: one["value"] for one in otlp_json.span(whole)["attributes"]}  # type: ignore[attr-defined]
    assert said["input.value"] == {"stringValue": "é" * 2 * LIMIT}


def test_exports_have_what_cannot_be_parsed(tmp_path: Path) -> None:
    detail_of(tmp_path)
    execute(tmp_path / RUN / "exp.db", "update spans set attributes = ?", [('{"a": 1, brok',)])
    with opened(tmp_path) as store:
        found = store.run(RUN).ask(span_details.detail, TRACE, "s", whole=True)
        (trace,) = (
            store.run(RUN).ask(trace_rows.at, store.run(RUN).ask(trace_rows.ordered)).values()
        )
        tree = read_trace(store.run(RUN), TRACE, None).tree
    assert found is not None
    assert otlp_json.span(found)["attributes"] == [
        {"key": "luml.unparsed.attributes", "value": {"stringValue": '{"a": 1, brok'}}
    ]
    assert traces.span_document(tree[0].span, found)["unparsed"] == {  # type: ignore[arg-type]
        "attributes": '{"a": 1, brok'
    }
    assert list(trace_markdown(trace, tree, (), lambda _: found))
