"""What a person sees of the spans that real instrumentations sent, recorded in `bodies/`.

The table is written by hand: a line for the span, then what was said to and by it. A call stands
with its answer, ` = ` and the result, where the conversation has one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest

from flowtui.store.genai import (
    Conversation,
    MediaPart,
    Part,
    ReasoningPart,
    SpanKind,
    TextPart,
    ToolCall,
    ToolResult,
    Usage,
    details,
    exceptions,
    messages,
    paired_calls,
    span_kind,
    title,
    usage,
)
from flowtui.store.genai.dialects import (
    ANY_MARKS,
    COMPANIONS,
    KIND_MARKS,
    TITLE_MARKS,
    USAGE_MARKS,
    Meaning,
    names,
)
from flowtui.store.otlp import files
from flowtui.store.otlp.items import LogEvent, OtlpSpan
from flowtui.store.traces.repeats import counted_once
from flowtui.store.traces.roll_up import taken
from flowtui.store.values import JsonValue

BODIES = Path(__file__).with_name("bodies")


SEEN = {
    "google_adk": """\
execute_tool get_weather | tool
  ran get_weather({"city": "Oslo"}) = {"temp": 4, "city": "Oslo"}
call_llm | chat | gemini-2.5-flash | 120+50, cached 64, reasoning 16
  system: You are terse. You are an agent. Your internal name is "w...
  user: Weather in Oslo?
  > model [STOP]: (Ask the tool.)
    get_weather({"city": "Oslo"})
generate_content gemini-2.5-flash | chat | gemini-2.5-flash | 120+50, cached 64, reasoning 16
call_llm | chat | gemini-2.5-flash | 120+50, cached 64, reasoning 16
  system: You are terse. You are an agent. Your internal name is "w...
  user: Weather in Oslo?
  model: (Ask the tool.)
    get_weather({"city": "Oslo"}) = {"temp": 4, "city": "Oslo"}
  > model [STOP]: Oslo has 4 °C.
invoke_agent weather_agent | agent""",
    "google_genai": """\
execute_tool get_weather | tool
  ran get_weather({"city": "Oslo"}) = {"temp": 4, "city": "Oslo"}
generate_content gemini-2.5-flash | chat | fake-gemini-1 | 120+50, cached 64, reasoning 16
  system: You are terse.
  user: Weather in Oslo?
  > assistant [stop]: Oslo has 4 °C.
generate_content gemini-2.5-flash | chat | fake-gemini-1 | 120+50, cached 64, reasoning 16
  user: What is this?
    <image, 78 bytes>
    <video, None bytes>
  > assistant [stop]: Zürich has 21 °C, Oslo 4 °C. 🌤
generate_content gemini-2.5-flash | chat | gemini-2.5-flash
  failed: 429: None
  user: ERR
embeddings text-embedding | embedder | text-embedding""",
    "haystack": """\
prompt | prompt
  input: data {"city": "Oslo", "template": null, "template_variables": ...
  > system: You are terse.
  > user: Weather in Oslo?
llm | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  system: You are terse.
  user: Weather in Oslo?
  > assistant [stop]: Zürich has 21 °C, Oslo 4 °C.
haystack.pipeline.run | workflow
  input: data {"prompt": {"city": "Oslo"}}
  > assistant [stop]: Zürich has 21 °C, Oslo 4 °C.
haystack.agent.step.tool | tool
  ran get_weather({"city": "Zürich"}) = {"temp": 4}
haystack.agent.step | chain
haystack.agent.step.llm | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  system: You are terse.
  user: Weather in Oslo?
  assistant [tool_calls]: get_weather({"city": "Zürich"}) = {"temp": 4}
    get_weather({"city": "Oslo"}) = {"temp": 4}
  > assistant [stop]: Zürich has 21 °C, Oslo 4 °C.
haystack.agent.run | agent
  system: You are terse.
  user: Weather in Oslo?
  > assistant [tool_calls]: get_weather({"city": "Zürich"}) = {"temp": 4}
    get_weather({"city": "Oslo"}) = {"temp": 4}
  > assistant [stop]: Zürich has 21 °C, Oslo 4 °C.""",
    "langfuse": """\
get_weather | tool
  ran None({"args": ["Zürich"], "kwargs": {}}) = {"temp": 21}
  input: data {"args": ["Zürich"], "kwargs": {}}
  > output: data {"temp": 21}
OpenAI-generation | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  system: terse
  user: Weather?
  > assistant: get_weather({"city": "Zürich"})
    get_weather({"city": "Oslo"})
agent | agent
  input: data {"args": ["Weather?"], "kwargs": {}}
  > assistant: get_weather({"city": "Zürich"})
  > assistant: get_weather({"city": "Oslo"})
OpenAI-generation | chat | fake-4o
  failed: None: Error code: 400 - context length exceeded: 9000 > 8192
  user: ERR400""",
    "litellm": """\
litellm_request | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  system: terse
  user: Weather?
  > assistant [tool_calls]: get_weather({"city": "Zürich"})
    get_weather({"city": "Oslo"})
raw_gen_ai_request
litellm_request | chat | fake-4o
  failed: litellm.exceptions.BadRequestError: litellm.BadRequestErr...
  user: ERR400""",
    "openinference_agno": """\
get_weather | tool
  ran get_weather({"city": "Zürich"}) = {"temp": 4}
  input: data {"city": "Zürich"}
  > output: {"temp": 4}
OpenAIChat.invoke | chat | fake-4o | 120+34, cached 64
  system: You are terse.
  user: Weather in Oslo?
  assistant: get_weather({"city": "Zürich"}) = {"temp": 4}
    get_weather({"city": "Oslo"}) = {"temp": 4}
  > assistant: Zürich has 21 °C, Oslo 4 °C.
weather_agent.run | agent
  input: Weather in Oslo?
  > output: Zürich has 21 °C, Oslo 4 °C.""",
    "openinference_anthropic": """\
anthropic.messages.create | chat | fake-claude-2026 | 1250+40, cached 1000, to cache 200
anthropic.messages.create | chat | fake-claude-2026 | 1250+40, cached 1000, to cache 200
anthropic.messages.create | chat | fake-claude
  failed: overloaded_error: None
messages.create | chat | fake-claude-2026 | 1250+40, cached 1000, to cache 200
  system: You are terse.
  user: Weather in Zürich and Oslo?
  > assistant [tool_use]: (I need two weather calls.)
    Checking both.
    get_weather({"city": "Zürich"})
    get_weather({"city": "Oslo"})
messages.create | chat | fake-claude-2026 | 1250+40, cached 1000, to cache 200
  system: You are terse.
  user: Weather in Zürich and Oslo?
  assistant: (I need two weather calls.)
    Checking both.
    get_weather({"city": "Zürich"}) = {"temp": 21}
    get_weather({"city": "Oslo"}) = {"temp": 21}
  user: go on
  > assistant [end_turn]: (I know now.)
    Zürich 21 °C, Oslo 4 °C.
messages.create | chat | fake-claude
  failed: anthropic.OverloadedError: Error code: 529 - {'type': 'er...
  user: ERR
agent""",
    "openinference_bedrock": """\
bedrock.converse | chat | fake-claude | 184+34, cached 64
  system: You are terse.
  user: Weather in Oslo?
  > assistant: (Ask the tool.)
    get_weather({"city": "Oslo"})
bedrock.converse | chat | fake-claude | 184+34, cached 64
  system: You are terse.
  user: Weather in Oslo?
  assistant: (Ask the tool.)
    get_weather({"city": "Oslo"}) = {"temp": 4}
  > assistant: Oslo has 4 °C.""",
    "openinference_crewai": """\
Weatherman._execute_core | agent
  input: data {"agent": {"entity_type": "agent", "id": "e272f9ce-6273-4...
  > system: You are Weatherman. Terse. Your personal goal is: Tell th...
  > user: Current Task: Weather in Oslo? This is the expected crite...
  > assistant: Zürich has 21 °C, Oslo 4 °C.
Crew_94373494-b386-4a5c-8c0b-0c334c7826e9.kickoff | chain
  > assistant: Zürich has 21 °C, Oslo 4 °C.""",
    "openinference_dspy": """\
LM.__call__ | chat | fake-4o
  system: Your input fields are: 1. `question` (str): Your output f...
  user: [[ ## question ## ]] Weather in Oslo? Respond with the co...
  > assistant: [[ ## answer ## ]] 4 degrees [[ ## completed ## ]]
Predict.forward | chain
  input: data {"question": "Weather in Oslo?"}
  > output: data {"answer": "4 degrees"}""",
    "openinference_langchain": """\
ChatOpenAI | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  system: You are terse.
  user: Weather in Zürich and Oslo?
  > assistant: get_weather({"city": "Zürich"})
    get_weather({"city": "Oslo"})
model | chain
  user: Weather in Zürich and Oslo?
  > assistant: get_weather({"city": "Zürich"})
    get_weather({"city": "Oslo"})
get_weather | tool
  ran get_weather(Zürich) = {"temp": 21, "city": "Zürich"}
  input: Zürich
  > tool: get_weather said {"temp": 21, "city": "Zürich"}
tools | chain
  assistant: get_weather({"city": "Zürich"}) = {"temp": 21, "city": "Zürich"}
model | chain
  user: Weather in Zürich and Oslo?
  assistant: get_weather({"city": "Zürich"}) = {"temp": 21, "city": "Zürich"}
    get_weather({"city": "Oslo"}) = {"temp": 21, "city": "Oslo"}
  > assistant: Zürich has 21 °C, Oslo 4 °C. 🌤
weather | chain
  user: Weather in Zürich and Oslo?
  > assistant: get_weather({"city": "Zürich"}) = {"temp": 21, "city": "Zürich"}
    get_weather({"city": "Oslo"}) = {"temp": 21, "city": "Oslo"}
  > assistant: Zürich has 21 °C, Oslo 4 °C. 🌤
get_weather | tool
  failed: ValueError: no station in Oslo
  ran get_weather(Oslo) = null
  input: Oslo
weather | chain
  failed: ValueError: no station in Oslo
  user: Weather in Zürich and Oslo?
ChatOpenAI | chat | fake-4o
  failed: langchain_openai.chat_models.base.OpenAIRateLimitError: E...
  user: ERR429
  > assistant:
ChatPromptTemplate | prompt
  input: a
  > system: s
  > user: a
RunnableSequence | chain
  input: a
  > assistant: Hello! 你好 مرحبا 👩‍🔬 it is 21 °C.""",
    "openinference_llamaindex": """\
OpenAILike.chat | chat | fake-4o | 120+34, cached 64, reasoning 16
  system: You are terse.
  user: Weather in Oslo?
  > assistant: Zürich has 21 °C, Oslo 4 °C.
FunctionTool.acall | tool
  ran get_weather({"city": "Zürich"}) = {"temp": 4}
  input: data {"kwargs": {"city": "Zürich"}}
  > output: data {"blocks": [{"text": "{\\"temp\\": 4}"}], "tool_name": "get...
OpenAILike.astream_chat | chat | fake-4o | 120+34, cached 64, reasoning 16
  system: You are terse.
  user: Weather in Oslo?
  assistant: get_weather({"city": "Zürich"}) = {"temp": 4}
  > assistant: Zürich has 21 °C, Oslo 4 °C.""",
    "openinference_openai": """\
ChatCompletion | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  system: You are terse.
  user: Weather in Zürich and Oslo?
  assistant: get_weather({"city": "Zürich"}) = {"temp": 21}
    get_weather({"city": "Oslo"}) = {"temp": 4}
  > assistant [stop]: Zürich has 21 °C, Oslo 4 °C. 🌤
ChatCompletion | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  user: THINK 6*7
  > assistant [stop]: (Let me think: six times seven.)
    The answer is 42.
ChatCompletion | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  user: REFUSE
  > assistant [stop]: I can't help with that.
ChatCompletion | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  user: hi
  > assistant [stop]: Hello! 你好 مرحبا 👩‍🔬 it is 21 °C.
  > assistant [stop]: Hello! 你好 مرحبا 👩‍🔬 it is 21 °C.
ChatCompletion | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  user: What is this?
    <image, 70 bytes>
    <audio, 12 bytes>
  > assistant [stop]: Hello! 你好 مرحبا 👩‍🔬 it is 21 °C.
ChatCompletion | chat
  failed: openai.BadRequestError: Error code: 400 - context length ...
  user: ERR400
CreateEmbeddings | embedder | fake-embed-1 | 7
  input: Zürich
  input: Oslo
  > output: data {"data": [{"embedding": [0.1, -0.2, 0.3], "index": 0, "ob...
Response | chat | fake-5-2026 | 210+55, cached 128, reasoning 20
  system: Be terse.
  user: Weather in Zürich and Oslo?
  assistant: (The user asks about two cities.)
  assistant: get_weather({"city": "Zürich"}) = {"temp": 21}
  assistant: get_weather({"city": "Oslo"}) = {"temp": 21}
  > assistant: (The user asks about two cities.)
  > assistant: Zürich 21 °C, Oslo 4 °C.""",
    "pydantic_ai": """\
chat fake-4o | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  system: You are terse.
  user: Weather in Zürich and Oslo?
  > assistant [tool_call]: get_weather({"city": "Zürich"})
    get_weather({"city": "Oslo"})
running tool: get_weather | tool
  ran get_weather({"city": "Zürich"}) = {"city": "Zürich", "temp": 21}
running tool: get_weather | tool
  ran get_weather({"city": "Oslo"}) = {"city": "Oslo", "temp": 21}
chat fake-4o | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  system: You are terse.
  user: Weather in Zürich and Oslo?
  assistant [tool_call]: get_weather({"city": "Zürich"}) = {"city": "Zürich", "temp": 21}
    get_weather({"city": "Oslo"}) = {"city": "Oslo", "temp": 21}
  > assistant [stop]: Zürich has 21 °C, Oslo 4 °C. 🌤
weather_agent run | agent | fake-4o | 240+68, cached 128, reasoning 32
  system: You are terse.
  user: Weather in Zürich and Oslo?
  assistant [tool_call]: get_weather({"city": "Zürich"}) = {"city": "Zürich", "temp": 21}
    get_weather({"city": "Oslo"}) = {"city": "Oslo", "temp": 21}
  > assistant [stop]: Zürich has 21 °C, Oslo 4 °C. 🌤
chat fake-4o | chat | fake-4o
  failed: pydantic_ai.exceptions.ModelContextWindowExceededError: s...
weather_agent run | agent | fake-4o
  failed: pydantic_ai.exceptions.ModelContextWindowExceededError: s...
  system: You are terse.
  user: ERR400
done v
job x=3
Chat Completion with 'fake-4o' | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  system: Be terse
  user: Weather?
  > assistant [tool_calls]: get_weather({"city": "Zürich"})
    get_weather({"city": "Oslo"})
Chat Completion with 'fake-4o' | chat | fake-4o
  user: hello
streaming response from 'fake-4o' took 0.06s | chat | fake-4o-2026-01
  user: hello
  > assistant [stop]: Hello! 你好 مرحبا 👩‍🔬 it is 21 °C.
Chat Completion with 'fake-4o' | chat | fake-4o
  failed: openai.BadRequestError: Error code: 400 - context length ...
  user: ERR400
Responses API with 'fake-5' | chat | fake-5-2026 | 210+55, cached 128, reasoning 20
  system: terse
  user: Weather?
  > assistant: Zürich 21 °C, Oslo 4 °C.
Embedding Creation with 'e' | embedder | fake-embed-1 | 7""",
    "semantic_kernel": """\
chat fake-4o | chat | fake-4o | 120+34
chat fake-4o | chat | fake-4o | 120+34
execute_tool W-get_weather | tool
  ran W-get_weather({"city": "Zürich"}) = {"temp": 4}
AutoFunctionInvocationLoop
invoke_agent weather_agent | agent
  > assistant: Zürich has 21 °C, Oslo 4 °C.""",
    "strands": """\
chat | chat | fake-4o | 120+34, cached 64
  system: You are terse.
  user: Weather in Oslo?
  > assistant [tool_use]: get_weather({"city": "Zürich"})
    get_weather({"city": "Oslo"})
execute_tool get_weather | tool
  ran get_weather(null) = null
  input: data {"city": "Zürich"}
  > output: data {"temp": 4}
execute_event_loop_cycle | chain
  user: Weather in Oslo?
  > assistant: get_weather({"city": "Zürich"}) = {"temp": 4}
    get_weather({"city": "Oslo"}) = {"temp": 4}
chat | chat | fake-4o | 120+34, cached 64
  system: You are terse.
  user: Weather in Oslo?
  assistant: get_weather({"city": "Zürich"}) = {"temp": 4}
    get_weather({"city": "Oslo"}) = {"temp": 4}
  > assistant [end_turn]: Zürich has 21 °C, Oslo 4 °C.
invoke_agent weather_agent | agent | fake-4o | 240+68, cached 128
  system: You are terse.
  user: Weather in Oslo?
  > assistant [end_turn]: Zürich has 21 °C, Oslo 4 °C.""",
    "strands_semconv": """\
execute_tool get_weather | tool
  ran get_weather({"city": "Zürich"}) = {"temp": 4}
  tool: get_weather({"city": "Zürich"}) = {"temp": 4}
chat | chat | fake-4o | 120+34, cached 64
  system: You are terse.
  user: Weather in Oslo?
  assistant: get_weather({"city": "Zürich"}) = {"temp": 4}
    get_weather({"city": "Oslo"}) = {"temp": 4}
  > assistant [end_turn]: Zürich has 21 °C, Oslo 4 °C.""",
    "traceloop_langchain": """\
create_agent weather | agent
  system: You are terse.
execute_task model | chain
  user: Weather in Oslo?
  > assistant: get_weather({"city": "Zürich"})
    get_weather({"city": "Oslo"})
execute_tool get_weather | tool
  ran get_weather({"city": "Zürich"}) = {"temp": 4}
  input: data {"input_str": "{'city': 'Zürich'}", "tags": ["seq:step:1"...
  > tool: get_weather said {"temp": 4}
ChatOpenAI.chat | chat | fake-4o-2026-01 | 120+34, cached 64
  system: You are terse.
  user: Weather in Oslo?
  assistant: get_weather({"city": "Zürich"}) = {"temp": 4}
    get_weather({"city": "Oslo"}) = {"temp": 4}
  > assistant [stop]: Zürich has 21 °C, Oslo 4 °C.
weather.workflow | agent
  user: Weather in Oslo?
  > assistant: get_weather({"city": "Zürich"}) = {"temp": 4}
    get_weather({"city": "Oslo"}) = {"temp": 4}
  > assistant: Zürich has 21 °C, Oslo 4 °C.""",
    "traceloop_llamaindex": """\
OpenAILike.task | chat | fake-4o-2026-01 | 120+34, cached 64
  system: You are terse.
  user: Weather in Oslo?
  > assistant [stop]: Zürich has 21 °C, Oslo 4 °C.
FunctionTool.task | chain
  input: data {"kwargs": {"city": "Zürich"}}
  > output: data {"blocks": [{"block_type": "text", "text": "{\\"temp\\": 4}...
OpenAILike.task | chain
  > system: You are terse.
  > user: Weather in Oslo?
  > assistant: get_weather({"city": "Zürich"}) = {"temp": 4}""",
    "traceloop_vertexai": """\
vertexai.send_message | chat | gemini-2.5-flash | 120+34, cached 64
  user: function_response { name: "get_weather" response { fields...
  > assistant: Oslo has 4 °C.
vertexai.generate_content | chat | gemini-2.5-flash | 120+34, cached 64
  user: What is this?
  > assistant: Oslo has 4 °C.
vertexai.generate_content | chat | gemini-2.5-flash | 120+34, cached 64
  user: Zürich?
  > assistant: Zürich has 21 °C, Oslo 4 °C. 🌤""",
    "vercel_ai": """\
ai.generateText.doGenerate | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  system: You are terse.
  user: Weather in Zürich and Oslo?
  > assistant: get_weather({"city": "Zürich"})
    get_weather({"city": "Oslo"})
ai.toolCall | tool
  ran get_weather({"city": "Zürich"}) = {"city": "Zürich", "temp": 21}
ai.toolCall | tool
  ran get_weather({"city": "Oslo"}) = {"city": "Oslo", "temp": 21}
ai.generateText.doGenerate | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  system: You are terse.
  user: Weather in Zürich and Oslo?
  assistant: get_weather({"city": "Zürich"}) = {"city": "Zürich", "temp": 21}
    get_weather({"city": "Oslo"}) = {"city": "Oslo", "temp": 21}
  > assistant: Zürich has 21 °C, Oslo 4 °C. 🌤
ai.generateText | agent | fake-4o | 240+68, cached 128, reasoning 32
  system: You are terse.
  user: Weather in Zürich and Oslo?
  > assistant: Zürich has 21 °C, Oslo 4 °C. 🌤
ai.streamText.doStream | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  user: hello
  > assistant: Hello! 你好 مرحبا 👩‍🔬 it is 21 °C.
ai.generateText.doGenerate | chat | fake-4o
  failed: AI_APICallError: context length exceeded: 9000 > 8192
  user: ERR400
ai.generateText | agent | fake-4o
  failed: AI_APICallError: context length exceeded: 9000 > 8192
  user: ERR400
ai.generateText.doGenerate | chat | fake-4o-2026-01 | 120+34, cached 64, reasoning 16
  user: What?
    <image, 70 bytes>
  > assistant: Hello! 你好 مرحبا 👩‍🔬 it is 21 °C.
ai.embedMany.doEmbed | embedder | e | 7
  input: Zürich
  input: Oslo
  > output: data ["[0.1,-0.2,0.3]", "[0.1,-0.2,0.3]"]
ai.generateText.doGenerate | chat | fake-5-2026 | 210+55, cached 128, reasoning 20
  user: Weather?
  > assistant: (The user asks about two cities.)
    Zürich 21 °C, Oslo 4 °C.
ai.generateText | agent | fake-5 | 210+55, cached 128, reasoning 20
  user: Weather?
  > assistant: (The user asks about two cities.)
    Zürich 21 °C, Oslo 4 °C.""",
    "vertexai": """\
chat gemini-2.5-flash | chat | fake-gemini-1 | 120+34
  system: You are terse.
  user: Weather in Oslo?
  > model [stop]: Ask the tool.
    get_weather({"city": "Oslo"})
chat gemini-2.5-flash | chat | fake-gemini-1 | 120+34
  system: You are terse.
  user: Weather in Oslo?
  model: Ask the tool.
    get_weather({"city": "Oslo"}) = {"temp": 4.0}
  > model [stop]: Oslo has 4 °C.
chat gemini-2.5-flash | chat | fake-gemini-1 | 120+34
  user: What is this?
    <image, 78 bytes>
  > model [stop]: Oslo has 4 °C.
chat gemini-2.5-flash | chat | gemini-2.5-flash
  failed: google.api_core.exceptions.TooManyRequests: 429 POST http...
  user: ERR""",
    "vertexai_events": """\
chat gemini-2.5-flash | chat | fake-gemini-1 | 120+34
  system: You are terse.
  user: Weather in Oslo?
  > model [stop]: (Ask the tool.)
    get_weather({"city": "Oslo"})
chat gemini-2.5-flash | chat | fake-gemini-1 | 120+34
  system: You are terse.
  user: Weather in Oslo?
  model: (Ask the tool.)
    get_weather({"city": "Oslo"}) = {"temp": 4.0}
  > model [stop]: Oslo has 4 °C.
chat gemini-2.5-flash | chat | fake-gemini-1 | 120+34
  user: What is this?
    <image, 78 bytes>
  > model [stop]: Oslo has 4 °C.
chat gemini-2.5-flash | chat | gemini-2.5-flash
  failed: google.api_core.exceptions.TooManyRequests: 429 POST http...
  user: ERR""",
}


def spans(body: str) -> list[OtlpSpan]:
    """Return the spans of a body, with the log records that are events of theirs."""
    with (BODIES / f"{body}.json").open("rb") as stream:
        items = list(files.items(stream))
    events: dict[str, list[Mapping[str, JsonValue]]] = defaultdict(list)
    for item in items:
        if isinstance(item, LogEvent):
            events[item.span_id].append(item.event)
    return [
        item._replace(events=[*item.events, *events[item.span_id]])
        for item in items
        if isinstance(item, OtlpSpan)
    ]


def seen(span: OtlpSpan) -> list[str]:
    """Return what a person sees of a span, in lines."""
    attributes, events = span.attributes, span.events
    found = details(attributes)
    model = found.response_model or found.request_model
    facts = (title(span.name, attributes), span_kind(attributes, 0), model, tokens(attributes))
    lines = [" | ".join(fact for fact in facts if fact and fact != SpanKind.OTHER)]
    for error in exceptions(events, attributes):
        lines.append(f"  failed: {shown(f'{error.type}: {error.message}')}")
    if (tool := found.tool) is not None:
        lines.append(f"  ran {tool.name}({shown(tool.arguments)}) = {shown(tool.result)}")
    chat = messages(attributes, events)
    for side, turns in (("", (*chat.system, *chat.input)), ("> ", chat.output)):
        for turn in turns:
            first, *more = (*part_lines(chat, turn.parts), "", "")
            ending = f" [{turn.finish_reason}]" if turn.finish_reason else ""
            if first or not turn.parts:
                lines.append(f"  {side}{turn.role}{ending}: {first}".rstrip())
                lines += [f"    {part}".rstrip() for part in more if part]
    return lines


def tokens(attributes: dict) -> str:
    used = usage(attributes) or Usage()
    named = (
        ("cached", used.cached_tokens),
        ("to cache", used.cache_creation_tokens),
        ("reasoning", used.reasoning_tokens),
    )
    sides = [str(count) for count in (used.input_tokens, used.output_tokens) if count is not None]
    more = [f"{name} {count}" for name, count in named if count]
    return ", ".join((["+".join(sides)] if sides else []) + more)


def part_lines(chat: Conversation, parts: tuple[Part, ...]) -> Iterator[str]:
    pairs = paired_calls(chat)
    answers = {id(pair.call): pair.result for pair in pairs}
    paired = {id(pair.result) for pair in pairs if pair.result is not None}
    for part in parts:
        match part:
            case TextPart(text=text):
                yield shown(text)
            case ReasoningPart(text=text):
                yield f"({shown(text)})"
            case ToolCall(name=name, arguments=arguments):
                answer = answers[id(part)]
                ending = "" if answer is None else f" = {shown(answer.result)}"
                yield f"{name}({shown(arguments)}){ending}"
            case ToolResult(name=name, result=result):
                if id(part) not in paired:
                    yield f"{name} said {shown(result)}"
            case MediaPart(kind=kind, size_bytes=size):
                yield f"<{kind}, {size} bytes>"
            case _:
                yield f"data {shown(part.raw)}"


def shown(value: object) -> str:
    text = plain(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def plain(text: str) -> str:
    return " ".join(text.split())


def whole(body: str) -> str:
    return "\n".join(line for span in spans(body) for line in seen(span))


@pytest.mark.parametrize("body", sorted(path.stem for path in BODIES.glob("*.json")))
def test_a_person_sees_what_was_said_and_done(body: str) -> None:
    assert whole(body) == SEEN[body]


SAID = ("content", "text", "thinking", "refusal", "reasoning_content")
ASIDE = (
    "metadata",
    "tasks_output",
    "prompt_template",
    "llm.openai",
    "model_request",
    "request_data",
    "raw_input",
)
"""What repeats the messages in the words of another layer, or is no part of them."""


def said(value: object) -> Iterator[str]:
    """Yield the texts that a value holds under the names by which messages have them."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        with suppress(ValueError):
            yield from said(json.loads(value))
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in SAID and isinstance(inner, str):
                yield inner
            elif name not in ASIDE:
                yield from said(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from said(inner)


def shown_texts(span: OtlpSpan) -> str:
    chat = messages(span.attributes, span.events)
    parts = [part for turn in (*chat.system, *chat.input, *chat.output) for part in turn.parts]
    shown_there: list[object] = [asdict(part) for part in parts]
    shown_there += [asdict(one) for one in exceptions(span.events, span.attributes)]
    if (tool := details(span.attributes).tool) is not None:
        shown_there.append(asdict(tool))
    return "\0".join(strings(shown_there))


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield plain(value)
    elif isinstance(value, (dict, list, tuple)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


@pytest.mark.parametrize("body", sorted(SEEN))
def test_nothing_that_was_said_is_lost(body: str) -> None:
    for span in spans(body):
        told = shown_texts(span)
        flat = {
            name: value
            for name, value in span.attributes.items()
            if not name.startswith(ASIDE) and name.rsplit(".", 1)[-1] in SAID
        }
        whole_values = [
            value for name, value in span.attributes.items() if not name.startswith(ASIDE)
        ]
        texts = [*(text for text in flat.values() if isinstance(text, str)), *said(whole_values)]
        texts += said([event.get("attributes") for event in span.events])
        for text in texts:
            if text and text[:1] not in ("[", "{"):
                assert plain(text) in told, span.name


def test_a_call_stands_once_however_many_dialects_tell_it() -> None:
    for span in spans("openinference_anthropic"):
        chat = messages(span.attributes, span.events)
        for turn in (*chat.input, *chat.output):
            calls = [part for part in turn.parts if isinstance(part, ToolCall)]
            assert len(calls) == len({call.id for call in calls})


def test_the_calls_of_both_scopes_are_counted_once() -> None:
    found = spans("openinference_anthropic")
    own = {
        row: used
        for row, span in enumerate(found)
        if (used := usage({**span.attributes, **span.origin.values})) is not None
    }
    once = counted_once(own, lambda row: (found[row].start_ns, found[row].end_ns))
    ids, above = [span.span_id for span in found], [span.parent_span_id for span in found]
    assert taken(ids, above, once) == Usage(2_500, 80, 2_000, 400)


def test_every_attribute_of_kind_or_usage_is_looked_for_in_the_text_of_a_span() -> None:
    of_usage = [meaning for meaning in Meaning if meaning.value.endswith(("tokens", "cost"))]
    of_usage += [Meaning.USAGE, Meaning.COSTS, Meaning.REPLIES]
    for meanings, marks in (
        ((Meaning.KIND, Meaning.PRESENCE), KIND_MARKS),
        (of_usage, USAGE_MARKS),
        ((Meaning.TITLE,), TITLE_MARKS),
    ):
        for name in (name for meaning in meanings for name in names(meaning)):
            assert any(mark in name for mark in marks), name
            assert name in COMPANIONS or any(mark in name for mark in ANY_MARKS), name
