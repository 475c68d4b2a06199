"""The tool that a span runs, and the tools that a model may choose from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flowtui.store.genai.fields import Attributes, decoded, first_text, mapping, sequence
from flowtui.store.genai.flattened import numbered
from flowtui.store.genai.kinds import SpanKind
from flowtui.store.values import JsonValue

_NAMES = ("gen_ai.tool.name", "tool.name")
_CALL_IDS = ("gen_ai.tool.call.id", "tool.id", "tool_call.id")
_DESCRIPTIONS = ("gen_ai.tool.description", "tool.description")
_ARGUMENTS = ("gen_ai.tool.call.arguments",)
# `tool.parameters` is a schema with some instrumentations and the arguments with others.
_INPUTS = ("traceloop.entity.input", "mlflow.spanInputs", "input.value", "tool.parameters")
_RESULTS = ("gen_ai.tool.call.result",)
_OUTPUTS = ("traceloop.entity.output", "mlflow.spanOutputs", "output.value")
_OFFERED_JSON = ("gen_ai.tool.definitions", "mlflow.chat.tools")
_OFFERED_LISTS = ("llm.tools", "llm.request.functions")
_INSIDE = ("function", "tool", "json_schema", "toolSpec")


@dataclass(frozen=True, slots=True)
class Tool:
    """One run of a tool. None is what the span does not say."""

    name: str | None
    type: str | None
    description: str | None
    call_id: str | None
    arguments: JsonValue
    """As parsed; a text where it is no JSON."""
    result: JsonValue


def tool(attributes: Attributes, kind: SpanKind) -> Tool | None:
    """Return the tool that a span runs, or None if it runs none.

    Source: gen_ai.tool.name, .type, .description, .call.id, .call.arguments, .call.result;
    tool.name, .description, .parameters, .id; traceloop.entity.name, .input, .output and
    mlflow.spanFunctionName, mlflow.spanInputs, mlflow.spanOutputs of a span of that kind.
    """
    runs = kind is SpanKind.TOOL
    name = first_text(attributes, _NAMES)
    if name is None and runs:
        name = first_text(attributes, ("traceloop.entity.name", "mlflow.spanFunctionName"))
    call_id = first_text(attributes, _CALL_IDS)
    if name is None and call_id is None and not runs:
        return None
    has_own_input = kind in (SpanKind.TOOL, SpanKind.OTHER)
    return Tool(
        name,
        first_text(attributes, ("gen_ai.tool.type",)),
        first_text(attributes, _DESCRIPTIONS),
        call_id,
        _first_value(attributes, (*_ARGUMENTS, *(_INPUTS if has_own_input else ()))),
        _first_value(attributes, (*_RESULTS, *(_OUTPUTS if has_own_input else ()))),
    )


def tools_offered(attributes: Attributes) -> tuple[str, ...]:
    """Return the names of the tools that a model may call, each once.

    Source: gen_ai.tool.definitions and mlflow.chat.tools (JSON); llm.tools.N.tool.json_schema or
    .tool.name; llm.request.functions.N.name; `tools` in llm.invocation_parameters.
    """
    found: list[JsonValue] = []
    for name in _OFFERED_JSON:
        found = found or sequence(attributes.get(name))
    for prefix in _OFFERED_LISTS:
        found = found or numbered(attributes, prefix)
    if not found:
        found = sequence(mapping(attributes.get("llm.invocation_parameters")).get("tools"))
    names = (_offered_name(item) for item in found)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _offered_name(raw: JsonValue) -> str | None:
    if isinstance(raw, str) and not raw.lstrip().startswith("{"):
        return raw or None
    item = mapping(raw)
    for _ in _INSIDE:
        name = first_text(item, ("name",))
        if name is not None:
            return name
        item = next((inner for key in _INSIDE if (inner := mapping(item.get(key)))), {})
    return first_text(item, ("name",))


def _first_value(attributes: Attributes, names: Iterable[str]) -> JsonValue:
    for name in names:
        value = attributes.get(name)
        if value is not None and value != "":
            return decoded(value)[0]
    return None
