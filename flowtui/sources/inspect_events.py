"""What happened in a sample of an Inspect log, as a trace: its calls of models and tools.

Source: inspect_ai/event. Logs of before 0.3.86 have steps and nested events in the place of spans.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping

from flowtui.sources.inspect_attachments import SampleAttachments
from flowtui.sources.inspect_messages import answers, messages
from flowtui.sources.inspect_scores import as_number
from flowtui.sources.json_values import (
    as_json,
    mapping,
    nanoseconds,
    number,
    sequence,
    text,
)
from flowtui.sources.span_drafts import CLIENT, SpanDraft
from flowtui.store.values import JsonValue

Event = Mapping[str, JsonValue]

MOST_REPEATED_CHARS = 16 << 20
"""Of the messages that calls of models in one sample were given. Each call repeats those before it:
past this, a call has only those that are new."""
MOST_CHARS = 64 << 20
"""Of all messages that are given to calls of models in one sample."""
_MOST_NESTED = 50
_CHANGES = frozenset(("state", "store"))
_BASE = frozenset(("event", "uuid", "span_id", "timestamp", "working_start", "pending", "metadata"))
_SETTINGS = (
    "temperature", "top_p", "top_k", "max_tokens", "seed", "frequency_penalty",
    "presence_penalty", "stop_seqs", "reasoning_effort", "reasoning_tokens",
)  # fmt: skip
_USAGE = {
    "output_tokens": "gen_ai.usage.output_tokens",
    "input_tokens_cache_read": "gen_ai.usage.cache_read.input_tokens",
    "input_tokens_cache_write": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "total_cost": "llm.cost.total",
}
_KINDS = {"solver": "CHAIN", "solvers": "CHAIN", "scorer": "EVALUATOR", "scorers": "CHAIN"}
_INPUT_TOKENS = ("input_tokens", "input_tokens_cache_read", "input_tokens_cache_write")


class SampleEventReader:
    """Makes spans of the events of one sample."""

    def __init__(
        self,
        root: SpanDraft,
        pool: JsonValue,
        attachments: SampleAttachments,
        left_out: Counter[str],
    ) -> None:
        """Take the span of the whole sample, and the messages that events refer to by number."""
        self.drafts = [root]
        self.last_ns = root.start_ns
        self.model_calls = 0
        self._root, self._attachments, self._left_out = root, attachments, left_out
        self._pool = [as_json(one) for one in messages(attachments.resolved(pool))]
        self._spans: dict[str, SpanDraft] = {}
        self._steps: list[SpanDraft] = []
        self._tools: list[tuple[SpanDraft, Event]] = []
        self._chars = 0
        self._before: list[str] = []

    def read(self, events: JsonValue) -> None:
        """Take all events of the sample."""
        self._take_all(events, self._root, 0)
        self._join_tools()

    def _take_all(self, events: JsonValue, parent: SpanDraft, depth: int) -> None:
        if depth > _MOST_NESTED:
            self._left_out[f"events that are nested deeper than {_MOST_NESTED} levels"] += 1
            return
        for event in map(mapping, sequence(events)):
            self._take(event, parent, depth)

    def _take(self, event: Event, parent: SpanDraft, depth: int) -> None:
        kind = text(event.get("event"))
        at_ns = nanoseconds(event.get("timestamp")) or self.last_ns
        self.last_ns = max(self.last_ns, at_ns, nanoseconds(event.get("completed")) or 0)
        inside = self._spans.get(text(event.get("span_id")))
        if inside is None:
            inside = self._steps[-1] if self._steps and not depth else parent
        if kind == "span_begin":
            self._begin(event, at_ns)
        elif kind == "span_end":
            if (ended := self._spans.get(text(event.get("id")))) is not None:
                ended.end_ns = at_ns
        elif kind == "step":
            self._step(event, inside, at_ns)
        elif kind == "model":
            self._model(event, inside, at_ns)
        elif kind in ("tool", "subtask"):
            self._call(event, kind, inside, at_ns, depth)
        elif kind == "score":
            self._score(event, inside, at_ns)
        elif kind == "error":
            error = mapping(event.get("error"))
            inside.fail(text(error.get("message")), at_ns, "", text(error.get("traceback")))
        elif kind in _CHANGES:
            self._left_out["changes of the state and the store of samples"] += 1
        elif kind != "sample_init":
            # What begins a sample is in the sample; all others are told as they stand.
            said = {key: value for key, value in event.items() if key not in _BASE}
            inside.add_event(kind or "event", at_ns, self._as_attributes(said))

    def _draft(
        self, event: Event, name: str, parent: SpanDraft, at_ns: int, key: str = ""
    ) -> SpanDraft:
        key = key or text(event.get("uuid")) or f"{len(self.drafts)}"
        draft = SpanDraft(key, name, at_ns, nanoseconds(event.get("completed")) or 0, parent)
        self.drafts.append(draft)
        return draft

    def _begin(self, event: Event, at_ns: int) -> None:
        own = text(event.get("id"))
        parent = self._spans.get(text(event.get("parent_id")), self._root)
        draft = self._draft(event, text(event.get("name")), parent, at_ns, f"span {own}")
        self._name_kind(draft, text(event.get("type")))
        self._spans[own] = draft

    def _step(self, event: Event, parent: SpanDraft, at_ns: int) -> None:
        if event.get("action") == "end":
            if self._steps:
                self._steps.pop().end_ns = at_ns
            return
        draft = self._draft(event, text(event.get("name")), parent, at_ns)
        self._name_kind(draft, text(event.get("type")))
        self._steps.append(draft)

    def _name_kind(self, draft: SpanDraft, type_: str) -> None:
        draft.type = type_
        if type_:
            draft.attributes["inspect.span.type"] = type_
        if type_ == "agent":
            draft.attributes["gen_ai.operation.name"] = "invoke_agent"
            draft.attributes["gen_ai.agent.name"] = draft.name
        elif type_ in _KINDS:
            draft.attributes["openinference.span.kind"] = _KINDS[type_]

    def _model(self, event: Event, parent: SpanDraft, at_ns: int) -> None:
        model, output = text(event.get("model")), mapping(event.get("output"))
        draft = self._draft(event, f"chat {model}", parent, at_ns)
        draft.kind = CLIENT
        if not draft.end_ns:
            took_s = number(event.get("working_time")) or 0.0
            draft.end_ns = at_ns + int(min(max(took_s, 0.0), 1e6) * 1e9)
        said = draft.attributes
        said["gen_ai.operation.name"] = "chat"
        provider, _, name = model.partition("/")
        said["gen_ai.provider.name"] = provider
        said["gen_ai.request.model"] = name or model
        said["gen_ai.response.model"] = text(output.get("model"))
        said["gen_ai.response.id"] = text(output.get("response_id"))
        said.update(usage(output.get("usage")))
        config = mapping(event.get("config"))
        for setting in _SETTINGS:
            if config.get(setting) is not None:
                said[f"gen_ai.request.{setting}"] = config[setting]
        for more in ("role", "cache", "retries"):
            if event.get(more):
                said[f"inspect.{more}"] = event[more]
        said["gen_ai.input.messages"] = self._input(event, draft)
        answered = answers(self._attachments.resolved(event.get("output")))
        said["gen_ai.output.messages"] = as_json(answered) if answered else ""
        reasons = [mapping(one).get("finish_reason") for one in answered]
        said["gen_ai.response.finish_reasons"] = [one for one in reasons if one]
        tools = self._attachments.resolved(event.get("tools"))
        said["gen_ai.tool.definitions"] = as_json(tools) if tools else ""
        draft.attributes = {key: value for key, value in said.items() if value not in ("", [])}
        if event.get("call"):
            self._left_out["requests and responses of a model, as its API has them"] += 1
        error = self._attachments.resolved(event.get("error"))
        if error:
            traceback = text(self._attachments.resolved(event.get("traceback")))
            draft.fail(text(error), draft.end_ns, "", traceback)
        self.model_calls += 1

    def _input(self, event: Event, draft: SpanDraft) -> str:
        """Return the messages that a model was given; all, or those that are new."""
        given: list[str] = []
        chars = 0
        for one in self._given(event):
            given.append(one)
            chars += len(one)
            if chars > MOST_CHARS:
                break
        shown = given
        if self._chars + chars > MOST_REPEATED_CHARS:
            same = 0
            while same < min(len(given), len(self._before)) and given[same] == self._before[same]:
                same += 1
            shown = given[same:]
            draft.attributes["inspect.messages_before"] = same
            self._left_out["repetitions of the messages of an earlier call of a model"] += 1
        self._before = given
        chars = sum(map(len, shown))
        if self._chars + chars > MOST_CHARS:
            self._left_out[f"messages past {MOST_CHARS / 1e6:,.0f} MB of a sample"] += len(shown)
            return ""
        self._chars += chars
        return f"[{','.join(shown)}]" if shown else ""

    def _given(self, event: Event) -> Iterator[str]:
        for one in messages(self._attachments.resolved(event.get("input"))):
            yield as_json(one)
        for part in sequence(event.get("input_refs")):
            bounds = [one for one in sequence(part) if type(one) is int and one >= 0]
            if len(bounds) == 2:
                yield from self._pool[bounds[0] : bounds[1]]

    def _call(self, event: Event, kind: str, parent: SpanDraft, at_ns: int, depth: int) -> None:
        is_tool = kind == "tool"
        name = text(event.get("function" if is_tool else "name"))
        draft = self._draft(event, f"execute_tool {name}" if is_tool else name, parent, at_ns)
        said = self._attachments.resolved(event.get("arguments" if is_tool else "input"))
        result = self._attachments.resolved(event.get("result"))
        if is_tool:
            draft.attributes |= {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": name,
                "gen_ai.tool.call.id": text(event.get("id")),
                "gen_ai.tool.call.arguments": as_json(said),
                "gen_ai.tool.call.result": result if isinstance(result, str) else as_json(result),
            }
            self._tools.append((draft, event))
        else:
            draft.attributes |= {
                "openinference.span.kind": "CHAIN",
                "input.value": as_json(said),
                "output.value": as_json(result),
            }
        error = mapping(event.get("error"))
        if error:
            message = text(self._attachments.resolved(error.get("message")))
            draft.fail(message, draft.end_ns or at_ns, text(error.get("type")))
        self._take_all(event.get("events"), draft, depth + 1)

    def _join_tools(self) -> None:
        """Make one span of the event of a tool and of the span in which the tool ran.

        What happened in the tool refers to that span, which has neither arguments nor a result.
        """
        ran: defaultdict[tuple[SpanDraft | None, str], deque[SpanDraft]] = defaultdict(deque)
        for draft in self._spans.values():
            if draft.type == "tool":
                ran[draft.parent, draft.name].append(draft)
        joined: dict[SpanDraft, SpanDraft] = {}
        for tool, event in self._tools:
            until_ns = tool.end_ns or self.last_ns
            waiting = ran[tool.parent, text(event.get("function"))]
            # Both are in the order of their times.
            while waiting and waiting[0].start_ns < tool.start_ns:
                waiting.popleft()
            if waiting and waiting[0].start_ns <= until_ns:
                span = joined[tool] = waiting.popleft()
                span.name, span.start_ns, span.end_ns = tool.name, tool.start_ns, until_ns
                span.message = tool.message or span.message
                span.attributes |= tool.attributes
                span.events += tool.events
        self.drafts = [draft for draft in self.drafts if draft not in joined]
        for draft in self.drafts:
            if draft.parent is not None:
                draft.parent = joined.get(draft.parent, draft.parent)

    def _score(self, event: Event, inside: SpanDraft, at_ns: int) -> None:
        score = mapping(self._attachments.resolved(event.get("score")))
        value = score.get("value")
        said: dict[str, JsonValue] = {
            "gen_ai.evaluation.name": text(event.get("scorer")) or inside.name,
            "gen_ai.evaluation.explanation": score.get("explanation"),
        }
        if (scored := as_number(value)) is not None:
            said["gen_ai.evaluation.score.value"] = scored
        if not isinstance(value, (int, float)):
            label = value if isinstance(value, str) else as_json(value)
            said["gen_ai.evaluation.score.label"] = label
        inside.add_event("gen_ai.evaluation.result", at_ns, said)

    def _as_attributes(self, said: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        for key, value in said.items():
            inner = self._attachments.resolved(value)
            if inner not in (None, "", [], {}):
                found[key] = as_json(inner) if isinstance(inner, (list, dict)) else inner
        return found


def usage(counted: JsonValue) -> dict[str, object]:
    """Return the tokens of one call, or of several: ModelUsage.

    Inspect's input tokens are those without cached ones, OpenTelemetry's are all of them.
    """
    tokens = mapping(counted)
    found: dict[str, object] = {
        key: tokens[name] for name, key in _USAGE.items() if number(tokens.get(name)) is not None
    }
    given = [number(tokens.get(name)) for name in _INPUT_TOKENS]
    if tokens:
        found["gen_ai.usage.input_tokens"] = int(
            sum(one for one in given if one is not None and 0 <= one < 2**62)
        )
    return found
