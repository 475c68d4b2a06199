"""JSON to lists of messages: attributes that hold them, and requests and responses of chat APIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flowtui.store.genai.chunks import streamed
from flowtui.store.genai.fields import decoded
from flowtui.store.genai.message_reading import is_pair, is_turn, message
from flowtui.store.genai.part_reading import parts
from flowtui.store.genai.parts import Message, TextPart, UnknownPart
from flowtui.store.values import JsonValue

INPUT, OUTPUT = "input", "output"
_LISTS = {
    INPUT: ("messages", "input", "contents"),
    OUTPUT: ("choices", "output", "candidates", "generations", "messages"),
}
_SPEAKER = {INPUT: "user", OUTPUT: "assistant"}
_INSTRUCTIONS = ("system", "instructions", "system_instruction", "systemInstruction")
# What frameworks put around a request or an answer: LangChain's runs in OpenLLMetry, LangGraph's
# commands, calls of Python functions, the state of an agent, ADK's request and answer.
_AROUND = {
    INPUT: ("inputs", "input", "state", "kwargs", "args", "request", "llm", "config"),
    OUTPUT: ("outputs", "output", "update", "state", "response", "result", "llm", "content"),
}
_MAX_AROUND = 6
_CREWS = frozenset(("tasks_output", "expected_output"))
"""What CrewAI has beside the answer, whose messages are only what was asked."""


def encoded(value: JsonValue, role: str) -> tuple[Message, ...]:
    """Return the messages of an attribute that holds JSON, parsed or as a text.

    `role` is for messages without one. Broken JSON becomes one message with a problem.
    """
    inner, problem = decoded(value)
    if problem is not None:
        return (Message(role, parts(inner), problem=problem),)
    if inner is None or inner == "":
        return ()
    return listed(inner, role)


def listed(value: JsonValue, role: str) -> tuple[Message, ...]:
    """Return the messages of a list of them, or the only one."""
    if not isinstance(value, list):
        return (message(value, role),)
    if (pieces := streamed(value)) is not None:
        return pieces
    flat: list[JsonValue] = []
    for item in value:
        # LangChain has one list of messages for each prompt of a batch.
        flat.extend(item if isinstance(item, list) and not is_pair(item) else [item])
    return tuple(message(item, role) for item in flat)


def joined(items: Sequence[JsonValue], role: str) -> tuple[Message, ...]:
    """Return the messages of a flattened list.

    LiteLLM numbers the calls of one answer as if each were an answer; they become one message.
    """
    found: list[Message] = []
    for item in items:
        read = message(decoded(item)[0] if isinstance(item, str) else item, role)
        is_call = isinstance(item, dict) and item.keys() == {"function_call"}
        if is_call and found and found[-1].role == role:
            found[-1] = replace(found[-1], parts=found[-1].parts + read.parts)
        else:
            found.append(read)
    return tuple(found)


def whatever(value: JsonValue, role: str, mime: str | None = None) -> tuple[Message, ...]:
    """Return what went into or came out of any span, as messages where it is a chat.

    Of anything else there is one message with the role `input` or `output`: its part is the text,
    or the data as it is.

    Args:
        value: what the span holds, parsed or as a text.
        role: `input` or `output`.
        mime: the type that is said of the value; only `application/json` makes broken JSON a
            problem, only `text/plain` keeps a text from being read as JSON.
    """
    inner, problem = (value, None) if mime == "text/plain" else decoded(value)
    if inner is None or inner == "":
        return ()
    if problem is not None and mime == "application/json":
        return (Message(role, parts(inner), problem=problem),)
    spoken = chat(inner, role)
    if spoken is not None:
        return spoken
    return (Message(role, (TextPart(inner) if isinstance(inner, str) else UnknownPart(inner),)),)


def chat(value: JsonValue, role: str) -> tuple[Message, ...] | None:
    """Return the messages of a chat request or response, or None where a value is neither.

    Known are lists of messages and the shapes that the large providers share: requests with
    `messages`, `input` or `contents` beside `system` or `instructions`, responses with `choices`,
    `output`, `candidates` or `generations`, and single messages; and what frameworks put around
    these.
    """
    found = _chat(value, role)
    depth = _MAX_AROUND
    while found is None and depth:
        depth -= 1
        if isinstance(value, list) and len(value) == 1:
            (value,) = value
        elif isinstance(value, dict):
            held = [value[name] for name in _AROUND[role] if name in value]
            if len(value) == 1 and not held:
                # Haystack has what a pipeline takes and gives under the name of a component.
                held = list(value.values())
            value = next((one for one in held if isinstance(one, (dict, list))), None)
        else:
            break
        found = _chat(value, role)
    return found


def _chat(value: JsonValue, role: str) -> tuple[Message, ...] | None:
    if isinstance(value, list):
        return streamed(value) or (listed(value, _SPEAKER[role]) if _are_turns(value) else None)
    if not isinstance(value, dict):
        return None
    if is_turn(value):
        return (message(value, _SPEAKER[role]),)
    raw = value.get("raw")
    if role == OUTPUT and isinstance(raw, str) and _CREWS.intersection(value):
        asked = value.get("messages")
        before = listed(asked, _SPEAKER[INPUT]) if _are_turns(asked) else ()
        return (*before, Message("assistant", parts(raw)))
    for name in (*_LISTS[role], "replies"):
        inner = value.get(name)
        if _are_turns(inner):
            # A response repeats the instructions that it was asked with.
            opening = _instructions(value) if role == INPUT else ()
            return opening + listed(inner, _SPEAKER[role])
    prompt = value.get("input" if "model" in value else "prompt")
    if role == INPUT and isinstance(prompt, str) and ("model" in value or "system" in value):
        return (*_instructions(value), Message("user", parts(prompt)))
    if role == INPUT and isinstance(prompt, str) and value.keys() == {"prompt"}:
        return (Message("user", parts(prompt)),)
    return None


def _instructions(request: Mapping[str, JsonValue]) -> tuple[Message, ...]:
    config = request.get("config")
    inside = config if isinstance(config, dict) else {}
    for name in _INSTRUCTIONS:
        value = request.get(name) or inside.get(name)
        inner = value.get("parts") if isinstance(value, dict) else value
        if inner:
            return (Message("system", parts(inner)),)
    return ()


def _are_turns(value: JsonValue) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(
        all(map(is_turn, item))
        if isinstance(item, list) and item and not is_pair(item)
        else is_turn(item)
        for item in value
    )
