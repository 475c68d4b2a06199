"""The tool that a span runs, and the tools that a model may choose from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flowtui.store.genai.chats import OUTPUT, chat
from flowtui.store.genai.dialects import Meaning, names
from flowtui.store.genai.fields import Attributes, decoded, first_text, mapping, nested, sequence
from flowtui.store.genai.flattened import numbered
from flowtui.store.genai.kinds import SpanKind
from flowtui.store.genai.part_reading import bare
from flowtui.store.genai.parts import ToolResult
from flowtui.store.values import JsonValue

# `tool.parameters` is a schema with some instrumentations and the arguments with others.
_SCHEMA_OR_ARGUMENTS = "tool.parameters"
_DECLARED = ("functionDeclarations", "function_declarations")
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


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool that a model may call."""

    name: str
    """The name; of a tool of the provider's own, which has none, its type."""
    description: str | None
    definition: JsonValue
    """What else its definition says, such as its parameters."""


def tool(attributes: Attributes, kind: SpanKind) -> Tool | None:
    """Return the tool that a span runs, or None if it runs none.

    Source: what means a tool in `dialects.py`; of a span of that kind what means an entity's name,
    input and output; tool.parameters.
    """
    runs = kind is SpanKind.TOOL
    name = first_text(attributes, names(Meaning.TOOL_NAME))
    if name is None and runs:
        name = first_text(attributes, names(Meaning.ENTITY_NAME))
    call_id = first_text(attributes, names(Meaning.TOOL_CALL_ID))
    if name is None and call_id is None and not runs:
        return None
    has_own_input = kind in (SpanKind.TOOL, SpanKind.OTHER)
    arguments = _first_value(attributes, names(Meaning.TOOL_ARGUMENTS))
    made = _first_value(attributes, names(Meaning.TOOL_RESULT))
    if has_own_input and arguments is None:
        arguments = _first_value(attributes, (*names(Meaning.INPUT), _SCHEMA_OR_ARGUMENTS))
    if has_own_input and made is None:
        made = _first_value(attributes, names(Meaning.OUTPUT))
    answer = _answer(made)
    return Tool(
        name,
        first_text(attributes, names(Meaning.TOOL_TYPE)),
        first_text(attributes, names(Meaning.TOOL_DESCRIPTION)),
        call_id or answer.id,
        _taken(arguments),
        bare(answer.result),
    )


def _taken(given: JsonValue) -> JsonValue:
    """Return what a tool was given, without what LangChain's run of it holds beside that."""
    if isinstance(given, dict) and "input_str" in given:
        return given.get("inputs") or nested(given["input_str"])
    if isinstance(given, dict) and given.keys() <= {"args", "kwargs"} and not given.get("args"):
        return given.get("kwargs", given)
    return given


def _answer(made: JsonValue) -> ToolResult:
    """Return what a tool answered, out of LangChain's message where it is one."""
    value = made
    if isinstance(value, dict) and value.keys() <= {"output", "kwargs"} and "output" in value:
        value = value["output"]
    read = chat(value, OUTPUT) if isinstance(value, dict) else None
    parts = read[0].parts if read is not None and len(read) == 1 else ()
    (only,) = parts if len(parts) == 1 else (None,)
    return only if isinstance(only, ToolResult) else ToolResult(None, None, value)


def tools_offered(attributes: Attributes) -> tuple[OfferedTool, ...]:
    """Return the tools that a model may call, each name once.

    Source: what means tools in `dialects.py`; `tools` in llm.invocation_parameters.
    """
    found: list[JsonValue] = []
    for name in names(Meaning.TOOLS):
        found = found or sequence(attributes.get(name)) or numbered(attributes, name)
    if not found:
        found = sequence(mapping(attributes.get("llm.invocation_parameters")).get("tools"))
    offered: dict[str, OfferedTool] = {}
    for one in (one for item in found for one in _offered(item)):
        offered.setdefault(one.name, one)
    return tuple(offered.values())


def _offered(raw: JsonValue) -> Iterator[OfferedTool]:
    if isinstance(raw, str) and not raw.lstrip().startswith("{"):
        if raw:
            yield OfferedTool(raw, None, None)
        return
    item = whole = mapping(raw)
    # Google lists the functions of one tool.
    several = next((sequence(item.get(key)) for key in _DECLARED if key in item), [])
    for declared in several:
        yield from _offered(declared)
    if several:
        return
    for _ in _INSIDE:
        if first_text(item, ("name",)) is not None:
            break
        item = next((inner for key in _INSIDE if (inner := mapping(item.get(key)))), {})
    known = item or whole
    type_ = first_text(whole, ("type",))
    name = first_text(known, ("name",)) or type_
    if name is not None:
        left_out = ("name", "description", *(("type",) if type_ in (name, "function") else ()))
        rest = {key: nested(value) for key, value in known.items() if key not in left_out}
        yield OfferedTool(name, first_text(known, ("description",)), rest or None)


def _first_value(attributes: Attributes, keys: Iterable[str]) -> JsonValue:
    for name in keys:
        value = attributes.get(name)
        if value is not None and value != "":
            return decoded(value)[0]
    return None
