"""What the events of a span say: messages of older conventions, exceptions, evaluations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flowtui.store.genai.chunks import joined, streamed
from flowtui.store.genai.dialects import Meaning, names
from flowtui.store.genai.fields import (
    Attributes,
    decoded,
    first_text,
    mapping,
    number,
    sequence,
)
from flowtui.store.genai.flattened import numbered
from flowtui.store.genai.message_reading import message
from flowtui.store.genai.parts import Message
from flowtui.store.values import JsonValue

Events = Sequence[Mapping[str, JsonValue]]

_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_MLFLOW_CHUNK = "mlflow.chunk.item."
_LANGFUSE_LEVEL = "langfuse.observation.level"
_SCORES = ("gen_ai.evaluation.score.value", "gen_ai.evaluation.value")
_LABELS = ("gen_ai.evaluation.score.label", "gen_ai.evaluation.label")


@dataclass(frozen=True, slots=True)
class SpanException:
    """An exception that a span recorded."""

    type: str | None
    message: str | None
    stacktrace: str | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A judgement of what a span did."""

    name: str | None
    value: float | None
    label: str | None
    explanation: str | None


_JUDGEMENT = ("name", "score", "label", "explanation")
_NOTHING = Evaluation(None, None, None, None)


def message_events(events: Events) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Return the messages that went in and those that came out, in the order of the events.

    Source: events gen_ai.system.message, gen_ai.user.message, gen_ai.assistant.message,
    gen_ai.tool.message and gen_ai.choice, with their body in the attributes or in the attribute
    gen_ai.event.content; events mlflow.chunk.item.N with the piece in mlflow.chunk.value. Pieces
    of one message are one.
    """
    given: list[Message] = []
    made: list[Message] = []
    pieces: list[JsonValue] = []
    index: JsonValue = None
    for name, attributes in _named(events):
        if name.startswith(_MLFLOW_CHUNK):
            pieces.append(decoded(attributes.get("mlflow.chunk.value"))[0])
        elif name in _ROLES:
            body = _body(attributes)
            if body.get("role") == "user":
                # Vertex AI says so of instructions and of what tools have answered.
                body["role"] = _ROLES[name]
            given.append(message(body, _ROLES[name]))
        elif name == _CHOICE:
            body = _body(attributes)
            choice = message(body, "assistant")
            # One that has not ended goes on in the next event of its index.
            if made and made[-1].finish_reason is None and body.get("index") == index is not None:
                made[-1] = joined([made[-1], choice])
            else:
                made.append(choice)
            index = body.get("index")
            # Strands has what the tools answered beside what the model said.
            if (answers := decoded(attributes.get("tool.result"))[0]) is not None:
                made.append(message({"role": "tool", "content": answers}, "tool"))
    return tuple(given), tuple(made) or streamed(pieces) or ()


def listed_events(value: JsonValue) -> Events:
    """Return the events that Pydantic AI writes into one attribute, as a span would have them.

    Source: the attributes that mean events in `dialects.py`: objects with `event.name`.
    """
    found: list[Mapping[str, JsonValue]] = []
    for item in map(mapping, sequence(value)):
        name = first_text(item, ("event.name", "name"))
        role = first_text(item, ("role",))
        if name is None and role is not None:
            name = _CHOICE if role == "assistant" else f"gen_ai.{role}.message"
        found.append({"name": name, "attributes": item})
    return found


def content_events(events: Events) -> dict[str, JsonValue]:
    """Return the attributes of events that carry whole conversations.

    Source: gen_ai.client.inference.operation.details, gen_ai.content.prompt,
    gen_ai.content.completion.
    """
    found: dict[str, JsonValue] = {}
    for name, attributes in _named(events):
        if name.startswith(("gen_ai.client.inference.operation.details", "gen_ai.content.")):
            found.update(attributes)
    return found


def exceptions(events: Events, attributes: Attributes) -> tuple[SpanException, ...]:
    """Return the exceptions of a span in the order of its events.

    Source: events `exception` with exception.type, .message, .stacktrace; where there are none,
    the same attributes of the span, and error.type.
    """
    recorded = tuple(_exception(inner) for name, inner in _named(events) if name == "exception")
    if recorded:
        return recorded
    if attributes.get(_LANGFUSE_LEVEL) not in (None, "ERROR"):
        # Langfuse has a word on how it went of what went well, too.
        attributes = {
            name: value for name, value in attributes.items() if not name.startswith("langfuse.")
        }
    alone = _exception(attributes)
    said = (alone.type, alone.message, alone.stacktrace)
    return () if all(value is None for value in said) else (alone,)


def evaluations(events: Events, attributes: Attributes) -> tuple[Evaluation, ...]:
    """Return the judgements of a span, those of events first.

    Source: events gen_ai.evaluation.result with gen_ai.evaluation.name, .score.value,
    .score.label, .explanation; OpenInference's annotation.* and evaluation.*, alone or in the
    lists annotations.N and evaluations.N.
    """
    found = [
        Evaluation(
            first_text(inner, ("gen_ai.evaluation.name",)),
            next((n for n in map(number, map(inner.get, _SCORES)) if n is not None), None),
            first_text(inner, _LABELS),
            first_text(inner, ("gen_ai.evaluation.explanation",)),
        )
        for name, inner in _named(events)
        if name == "gen_ai.evaluation.result"
    ]
    for kind in ("annotation", "evaluation"):
        alone = {part: attributes.get(f"{kind}.{part}") for part in _JUDGEMENT}
        found.append(_judgement(alone))
        for item in map(mapping, numbered(attributes, f"{kind}s")):
            found.append(_judgement(mapping(item.get(kind)) or item))
    return tuple(item for item in found if item != _NOTHING)


def _judgement(inner: Mapping[str, JsonValue]) -> Evaluation:
    return Evaluation(
        first_text(inner, ("name",)),
        number(inner.get("score")),
        first_text(inner, ("label",)),
        first_text(inner, ("explanation",)),
    )


def _exception(attributes: Attributes) -> SpanException:
    return SpanException(
        first_text(attributes, names(Meaning.ERROR_TYPE)),
        first_text(attributes, names(Meaning.ERROR_MESSAGE)),
        first_text(attributes, names(Meaning.ERROR_TRACE)),
    )


def _named(events: Events) -> Iterator[tuple[str, dict[str, JsonValue]]]:
    for event in events:
        if isinstance(event, Mapping) and isinstance(name := event.get("name"), str):
            yield name, mapping(event.get("attributes"))


def _body(attributes: dict[str, JsonValue]) -> dict[str, JsonValue]:
    body = {**attributes, **mapping(attributes.get("gen_ai.event.content"))}
    for name in ("message", "content"):
        inner = decoded(body.get(name))[0]
        if isinstance(inner, (dict, list)):
            body[name] = inner
    if not isinstance(body.get("message"), (dict, type(None))):
        # Strands has only what was said there.
        body.setdefault("content", body.pop("message"))
    left_out = ("gen_ai.", "event.", "tool.result")
    return {name: value for name, value in body.items() if not name.startswith(left_out)}
