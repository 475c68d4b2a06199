"""The conversation of one span."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator

from flowtui.store.genai.chats import INPUT, OUTPUT, encoded, whatever
from flowtui.store.genai.events import Events, content_events, message_events
from flowtui.store.genai.fields import Attributes, decoded, first_text
from flowtui.store.genai.flattened import numbered
from flowtui.store.genai.message_reading import message
from flowtui.store.genai.part_reading import parts
from flowtui.store.genai.parts import Conversation, Message, PairedCall, Part, ToolCall, ToolResult

_SYSTEM_ROLES = frozenset(("system", "developer"))
_JSON = "application/json"
Messages = tuple[Message, ...]


def messages(attributes: Attributes, events: Events) -> Conversation:
    """Return what was said to and by whatever a span stands for.

    Each side comes from the first source that has it, so that a span in two dialects does not say
    everything twice. Nothing is lost to an unknown shape: it becomes an `UnknownPart`. What is
    broken is shown as it stands, with the `problem` of its message.

    Source, in this order: gen_ai.system_instructions, gen_ai.input.messages,
    gen_ai.output.messages; llm.input_messages.N, llm.output_messages.N; gen_ai.prompt.N,
    gen_ai.completion.N; llm.prompts.N, llm.choices.N; events; embedding.embeddings.N;
    mlflow.spanInputs, mlflow.spanOutputs; traceloop.entity.input, .output; input.value,
    output.value.
    """
    carried = content_events(events)
    both = {**carried, **attributes} if carried else attributes
    given, made = message_events(events)
    heard, said = _heard(both, given), _said(both, made)
    opening = _opening(heard)
    return Conversation(_instructions(both) + heard[:opening], heard[opening:], said)


def paired_calls(conversation: Conversation) -> tuple[PairedCall, ...]:
    """Return the tool calls of a conversation in order, each with its result.

    A call and its result share an id; where neither has one, the name of the tool. If several
    calls share it, the first result belongs to the first call.
    """
    answers: dict[tuple[str, str | None], deque[ToolResult]] = defaultdict(deque)
    calls: list[ToolCall] = []
    for part in _all_parts(conversation):
        if isinstance(part, ToolCall):
            calls.append(part)
        elif isinstance(part, ToolResult):
            answers[_key(part)].append(part)
    paired = []
    for call in calls:
        queue = answers.get(_key(call))
        paired.append(PairedCall(call, queue.popleft() if queue else None))
    return tuple(paired)


def _heard(attributes: Attributes, given: Messages) -> Messages:
    lists = ("llm.input_messages", "gen_ai.prompt", "llm.prompts")
    return _first_of(
        lambda: encoded(attributes.get("gen_ai.input.messages"), "user"),
        lambda: _numbered(attributes, lists, "user"),
        lambda: encoded(attributes.get("gen_ai.prompt"), "user"),
        lambda: given,
        lambda: _numbered(attributes, ("embedding.embeddings",), INPUT),
        lambda: _last_resort(attributes, INPUT),
    )


def _said(attributes: Attributes, made: Messages) -> Messages:
    lists = ("llm.output_messages", "gen_ai.completion", "llm.choices")
    return _first_of(
        lambda: encoded(attributes.get("gen_ai.output.messages"), "assistant"),
        lambda: _numbered(attributes, lists, "assistant"),
        lambda: encoded(attributes.get("gen_ai.completion"), "assistant"),
        lambda: made,
        lambda: _last_resort(attributes, OUTPUT),
    )


def _first_of(*sources: Callable[[], Messages]) -> Messages:
    return next((found for source in sources if (found := source())), ())


def _numbered(attributes: Attributes, prefixes: tuple[str, ...], role: str) -> Messages:
    for prefix in prefixes:
        items = numbered(attributes, prefix)
        if items:
            return tuple(message(item, role) for item in items)
    return ()


def _last_resort(attributes: Attributes, role: str) -> Messages:
    side = "spanInputs" if role == INPUT else "spanOutputs"
    return _first_of(
        lambda: whatever(attributes.get(f"mlflow.{side}"), role, _JSON),
        lambda: whatever(attributes.get(f"traceloop.entity.{role}"), role, _JSON),
        lambda: whatever(
            attributes.get(f"{role}.value"), role, first_text(attributes, (f"{role}.mime_type",))
        ),
    )


def _instructions(attributes: Attributes) -> Messages:
    inner, problem = decoded(attributes.get("gen_ai.system_instructions"))
    read = parts(inner)
    return (Message("system", read, problem=problem),) if read else ()


def _opening(heard: Messages) -> int:
    for index, item in enumerate(heard):
        if item.role not in _SYSTEM_ROLES:
            return index
    return len(heard)


def _all_parts(conversation: Conversation) -> Iterator[Part]:
    for item in (*conversation.system, *conversation.input, *conversation.output):
        yield from item.parts


def _key(part: ToolCall | ToolResult) -> tuple[str, str | None]:
    return ("name", part.name) if part.id is None else ("id", part.id)
