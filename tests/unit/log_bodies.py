"""Bodies of instrumentations that send what was said as logs, as they were recorded.

Both are of opentelemetry-instrumentation-openai-v2 for two calls of one chat: the weather of Zürich
and Oslo is asked for, two tools are called, and their answers are given. 2.3b0 sends a log record
for each message, 2.4b0 (with the latest conventions) one for each call.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_FOLDER = Path(__file__).with_name("bodies")
_IDS = ("traceId", "spanId", "parentSpanId")


@dataclass(frozen=True)
class LogBodies:
    """The requests of one program, OTLP/JSON and protobuf."""

    logs: dict[str, Any]
    metrics: dict[str, Any]
    spans: dict[str, Any]

    @property
    def protobuf(self) -> tuple[bytes, bytes, bytes]:
        """Logs, metrics and spans."""
        return (
            _protobuf(self.logs, ExportLogsServiceRequest()),
            _protobuf(self.metrics, ExportMetricsServiceRequest()),
            _protobuf(self.spans, ExportTraceServiceRequest()),
        )


def recorded(name: str) -> LogBodies:
    lines = (_FOLDER / f"openai_v2_{name}.jsonl").read_text("utf-8").splitlines()
    logs, metrics, spans = map(json.loads, lines)
    return LogBodies(logs, metrics, spans)


def json_lines(*documents: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def _protobuf(document: dict[str, Any], kind: Message) -> bytes:
    return ParseDict(_with_base64(document), kind).SerializeToString()


def _with_base64(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_base64(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: b64encode(bytes.fromhex(inner)).decode() if key in _IDS else _with_base64(inner)
        for key, inner in value.items()
    }
