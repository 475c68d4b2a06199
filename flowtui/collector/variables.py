"""The variables that have an application send its spans to a receiver, with what was said in them.

Most instrumentations leave prompts and answers out unless they are told to send them, each by a
switch of its own.
"""

from __future__ import annotations

import ipaddress
import shlex
import socket
from urllib.parse import quote

from flowtui.collector.listening import Listening

CONTENT = {
    # The conventions for generative AI as they are now, in every package that knows both forms.
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    # OpenTelemetry's own: openai-v2, google-genai, vertexai, langchain.
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    # OpenLLMetry.
    "TRACELOOP_TRACE_CONTENT": "true",
    # Azure's packages, and Semantic Kernel.
    "AZURE_TRACING_GEN_AI_CONTENT_RECORDING_ENABLED": "true",
    "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE": "true",
    "HAYSTACK_CONTENT_TRACING_ENABLED": "true",
}
"""The switches of the instrumentations that leave content out; OpenInference, Pydantic AI and the
Vercel AI SDK send it."""
_OLDER = (
    "# An instrumentation that does not know SPAN_ONLY (botocore; openai-v2 before 2.4) wants:\n"
    "# export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true"
)


def address(host: str, port: int) -> str:
    """Return the URL of a receiver.

    Args:
        host: a name, or an address; one that stands for all is told as the name of this machine.
        port: the port.
    """
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    shown = socket.gethostname() if ip.is_unspecified else f"[{ip}]" if ip.version == 6 else ip
    return f"http://{shown}:{port}"


def variables(where: Listening) -> dict[str, str]:
    """Return all variables; the token is among them where there is one."""
    url = address(where.host, where.port)
    found = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
    }
    if where.token is not None:
        bearer = f"Authorization={quote(f'Bearer {where.token}', safe='')}"
        found["OTEL_EXPORTER_OTLP_HEADERS"] = bearer
        found["TRACELOOP_HEADERS"] = bearer
    # Two that would send elsewhere otherwise.
    found["TRACELOOP_BASE_URL"] = url
    found["LOGFIRE_SEND_TO_LOGFIRE"] = "false"
    return {**found, **CONTENT}


def for_shell(where: Listening) -> str:
    """Return lines that a shell such as bash carries out."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables(where).items()]
    return "\n".join([*lines, _OLDER])
