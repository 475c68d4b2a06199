"""Traces in groups, and the traces of a session as one conversation."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from flowtui.store.filter_text import both, equals
from flowtui.store.filters import trace_condition
from flowtui.store.genai import Conversation, Message, TextPart
from flowtui.store.genai.belonging import BELONGING_MARKS, BELONGINGS, session, user
from flowtui.store.genai.dialects import Meaning, names
from flowtui.store.genai.merging import told_again
from flowtui.store.open_run import OpenRun
from flowtui.store.schema import SpanRow
from flowtui.store.store import Store
from flowtui.store.traces import groups as group_rows
from flowtui.store.traces import listing
from flowtui.store.traces.belongings import belonging_of
from flowtui.store.traces.groups import GROUPED_BY, TraceGroup
from flowtui.store.traces.session import session_turns, without_history
from tests.conftest import open_store
from tests.unit.sessions import MINUTE_NS, OTHER, START_NS, SYSTEM, TURNS, spans
from tests.unit.stores import opened, writer

AGENT = "support-agent-v3"
SESSION_KEYS = (
    "gen_ai.conversation.id",
    "session.id",
    "traceloop.association.properties.session_id",
    "mlflow.trace.session",
    "ai.telemetry.metadata.sessionId",
    "langfuse.session.id",
)


@pytest.fixture
def run(tmp_path: Path) -> OpenRun:
    with writer(tmp_path) as store:
        store.start_run("run-1", "run-1")
        with store.experiment("run-1") as experiment:
            experiment.spans(spans())
    return open_store(tmp_path).run("run-1")


def counted(run: OpenRun, by: str, filter_text: str = "") -> dict[str | None, TraceGroup]:
    found = run.ask(group_rows.groups, by, trace_condition(filter_text))
    return {one.value: one for one in run.ask(group_rows.with_usage, found)}


def test_a_group_adds_up_its_traces(run: OpenRun) -> None:
    found = counted(run, "session")
    assert list(found) == ["one", "two", None]
    one = found["one"]
    assert (len(one.keys), one.error_count, len(found[None].keys)) == (4, 1, 1)
    # They take 1 to 4 seconds, less the two nanoseconds by which the root begins and ends later.
    assert (one.middle_ns, one.high_ns) == (2_000_000_000 - 2, 4_000_000_000 - 2)
    assert one.last_ns == START_NS + 4 * MINUTE_NS + 1
    assert one.usage is not None
    assert (one.usage.input_tokens, one.usage.output_tokens) == (1_000, 10)
    assert one.usage.cost == pytest.approx(0.01)
    assert found[None].usage is None
    assert list(counted(run, "user")) == ["ana", None]
    assert {value: len(one.keys) for value, one in counted(run, "model").items()} == {
        "large-chat-4": 3,
        "small-chat-2": 2,
        None: 1,
    }
    assert {value: len(one.keys) for value, one in counted(run, "name").items()} == {
        "POST /chat": 5,
        "health": 1,
    }


@pytest.mark.parametrize("by", GROUPED_BY)
def test_a_group_is_what_its_filter_lists(demo: Store, by: str) -> None:
    run = demo.resolve(AGENT)
    for filter_text in ("", "errors or span_count > 5"):
        found = counted(run, by, filter_text)
        total = run.ask(listing.ordered, trace_condition(filter_text))
        assert sum(len(one.keys) for one in found.values()) == len(total)
        for value, group in found.items():
            text = both(filter_text, equals(by, value))
            keys = run.ask(listing.ordered, trace_condition(text))
            assert sorted(keys) == sorted(group.keys), text
            traces = run.ask(listing.at, keys).values()
            took = sorted(one.duration_ns for one in traces if one.duration_ns is not None)
            at = [math.ceil(len(took) * share) - 1 for share in (0.5, 0.95)]
            assert [group.middle_ns, group.high_ns] == [took[place] for place in at]
            assert group.error_count == sum(one.error_count > 0 for one in traces)
            tokens = [one.usage.total or 0 for one in traces if one.usage is not None]
            assert (group.usage.total or 0 if group.usage else 0) == sum(tokens)


def test_sessions_are_those_that_the_spans_of_the_demo_name(demo: Store) -> None:
    def read(connection: sqlite3.Connection) -> list[tuple[str, str]]:
        return connection.execute("select trace_id, attributes from spans").fetchall()

    run = demo.resolve(AGENT)
    named: dict[str, set[str]] = defaultdict(set)
    for trace_id, raw in run.ask(read):
        held = json.loads(raw or "{}")
        named[trace_id] |= {str(held[key]).strip('"') for key in SESSION_KEYS if held.get(key)}
    assert any(named.values())
    for value, group in counted(run, "session").items():
        for trace in run.ask(listing.at, group.keys).values():
            assert ({value} if value else set()) <= named[trace.trace_id]
            assert bool(value) == bool(named[trace.trace_id])


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({"session.id": "a"}, ("a", None)),
        ({"metadata": '{"thread_id": "a", "user_id": 7}'}, ("a", "7")),
        ({"metadata": {"thread_id": "a"}}, ("a", None)),
        ({"metadata": "[broken"}, (None, None)),
        ({"langfuse.session.id": "a", "langfuse.user.id": "b"}, ("a", "b")),
        ({"langsmith.trace.session_id": "a"}, ("a", None)),
        ({"mlflow.trace.session": '"a"'}, ("a", None)),
        ({"thread_id": "", "enduser.id": "b"}, (None, "b")),
        ({"gen_ai.input.messages": '[{"thread_id": "a"}]'}, (None, None)),
    ],
)
def test_a_span_names_its_session_and_user(
    attributes: dict[str, Any], found: tuple[str | None, str | None]
) -> None:
    assert (session(attributes), user(attributes)) == found


def test_every_name_of_a_session_user_or_model_is_looked_for_in_the_text_of_a_span() -> None:
    meanings = {
        "session": [Meaning.SESSION],
        "user": [Meaning.USER],
        "model": [Meaning.REQUEST_MODEL, Meaning.RESPONSE_MODEL],
    }
    assert meanings.keys() == BELONGINGS.keys()
    for what, several in meanings.items():
        for key in (key for meaning in several for key in names(meaning)):
            outer, _, inner = key.partition(".")
            forms: list[dict[str, Any]] = [{key: "x"}]
            if outer == "metadata":
                forms += [{outer: {inner: "x"}}, {outer: json.dumps({inner: "x"})}]
            for attributes in forms:
                assert BELONGINGS[what](attributes) == "x"
                assert any(mark in json.dumps(attributes) for mark in BELONGING_MARKS[what])


def test_the_root_decides_and_else_the_earliest(tmp_path: Path) -> None:
    def row(trace: str, id_: str, parent: str | None, start: int, name: str) -> SpanRow:
        held = {"session.id": name} if name else {}
        return SpanRow(trace_id=trace, span_id=id_, parent_span_id=parent, name="n",
                       start_ns=start, end_ns=start + 9, attributes=held)  # fmt: skip

    with writer(tmp_path) as store:
        store.start_run("run-1", "run-1")
        with store.experiment("run-1") as experiment:
            experiment.spans(
                [
                    row("a", "2", "1", 5, "inner"),
                    row("a", "1", None, 9, "outer"),
                    row("b", "3", "1", 7, "later"),
                    row("b", "2", "1", 6, "earlier"),
                    row("b", "1", None, 5, ""),
                ]
            )
    with opened(tmp_path) as store_:
        run = store_.run("run-1")
        assert {one.value for one in run.ask(group_rows.groups, "session")} == {"outer", "earlier"}
        assert run.ask(belonging_of, "session", "b") == "earlier"
        assert run.ask(belonging_of, "session", "nowhere") is None


def lines(said: Conversation) -> list[str]:
    everything = (*said.system, *said.input, *said.output)
    return [f"{one.role}: {part.text}" for one in everything for part in one.parts
            if isinstance(part, TextPart)]  # fmt: skip


def test_a_session_is_one_conversation_with_each_message_once(run: OpenRun) -> None:
    found = run.ask(session_turns, "one")
    assert found.trace_count == 4
    assert [lines(turn.said) for turn in found.turns] == [
        [
            *([f"system: {SYSTEM}"] if at == 0 else []),
            f"user: {asked}",
            f"assistant: {answered}",
        ]
        for at, (asked, answered) in enumerate(TURNS)
    ]
    (other,) = run.ask(session_turns, "two").turns
    assert lines(other.said)[1:] == [f"user: {OTHER[0]}", f"assistant: {OTHER[1]}"]


def test_a_long_session_says_how_many_traces_were_not_read(run: OpenRun) -> None:
    found = run.ask(session_turns, "one", 2)
    assert (len(found.turns), found.trace_count) == (2, 4)


def test_history_that_nobody_said_before_is_kept() -> None:
    def told(role: str, text: str) -> Message:
        return Message(role, (TextPart(text),))

    first, answer, second = told("user", "a"), told("assistant", "b"), told("user", "a")
    said = Conversation((), (first, answer, second), (told("assistant", "c"),))
    assert without_history(said, set()) == said
    assert without_history(said, {told_again(first)}).input == (answer, second)
