"""Sends the same OpenTelemetry spans to the SDK's exporter and into an OTLP file.

Run by the Python of an SDK environment, which has luml and no OpenTelemetry:

    export_spans.py STORE FILE PACKAGES    PACKAGES: a folder that has opentelemetry installed

Prints the id of the run that the SDK wrote.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

DIALECTS: list[dict[str, Any]] = [
    {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 12},
    {"gen_ai.operation.name": "invoke_agent"},
    {"gen_ai.operation.name": "execute_tool"},
    {"gen_ai.operation.name": "embeddings"},
    {"llm.request.type": "chat"},
    {"words": ("a", "b"), "numbers": [1, 2], "mixed": (0.5, 1.5), "flags": [True, False]},
    {"text": 'q"uo\te\n\u202e\x1b[31m', "zero": 0, "no": False, "empty": "", "far": float("inf")},
    {},
]


def main(store: str, file: str, packages: str) -> None:
    """Writes both."""
    # After the environment's own, which are built for this Python.
    sys.path.append(packages)
    from luml.experiments.tracing.span_exporter import LumlSpanExporter
    from luml.experiments.tracker import ExperimentTracker
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.resources import Resource

    spans = made_spans(Resource({"service.name": "svc", "host.cpus": [1, 2]}))
    tracker = ExperimentTracker(f"sqlite://{store}")
    run_id = tracker.start_experiment(name="sdk")
    LumlSpanExporter(tracker.log_span).export(spans)
    tracker.end_experiment(run_id)
    Path(file).write_bytes(encode_spans(spans).SerializeToString())
    print(run_id)


def made_spans(resource: Any) -> Any:
    """Gives finished spans with all that a span can have."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("lib", "1.2", attributes={"scoped": True})
    with tracer.start_as_current_span("root", kind=trace.SpanKind.SERVER) as root:
        root.set_status(trace.Status(trace.StatusCode.OK))
        for kind, attributes in zip([*trace.SpanKind] * 2, DIALECTS, strict=False):
            link = trace.Link(root.get_span_context(), {"why": "so"})
            with tracer.start_as_current_span(
                "child", kind=kind, attributes=attributes, links=[link]
            ) as child:
                child.add_event("bare")
                child.add_event("full", {"a": [1, 2], "b": "c"})
        failed = tracer.start_span("failed")
        failed.record_exception(ValueError("broke"))
        failed.set_status(trace.Status(trace.StatusCode.ERROR, "it broke"))
        failed.end()
    return memory.get_finished_spans()


if __name__ == "__main__":
    main(*sys.argv[1:])
