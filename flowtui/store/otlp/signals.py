"""Which signal a protobuf is of: requests of spans, logs and metrics have the same outer form."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from flowtui.store.otlp.items import SPAN_ID_BYTES, TRACE_ID_BYTES
from flowtui.store.otlp.parts import varint

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_INNER = (2, _LENGTH)
"""The scopes of a resource, and the records of a scope."""
_OF_SPANS = {(6, _VARINT), (7, _EIGHT_BYTES), (8, _EIGHT_BYTES)}
"""Kind, start and end."""
_OF_LOGS = {(1, _EIGHT_BYTES), (11, _EIGHT_BYTES), (2, _VARINT), (8, _FOUR_BYTES)}
"""The two times, severity and flags."""
_OF_METRICS = {(number, _LENGTH) for number in (5, 7, 9, 10, 11)}
"""Gauge, sum, histogram, exponential histogram and summary."""


class Signal(StrEnum):
    """What is exported, under the name that OTLP/HTTP has in its paths."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"


def signal_of(data: bytes) -> Signal:
    """Return what the first record of a resource is; `TRACES` where nothing tells.

    Args:
        data: a ResourceSpans, ResourceLogs or ResourceMetrics, or its beginning.
    """
    scope = next((inner for field, inner in _fields(data) if field == _INNER), b"")
    record = next((inner for field, inner in _fields(scope) if field == _INNER), b"")
    fields = dict(_fields(record))
    if fields.keys() & _OF_SPANS:
        return Signal.TRACES
    if fields.keys() & _OF_LOGS:
        return Signal.LOGS
    has_ids = len(fields.get((1, _LENGTH), b"")) == TRACE_ID_BYTES and (
        len(fields.get(_INNER, b"")) == SPAN_ID_BYTES
    )
    is_metric = not has_ids and fields.keys() & _OF_METRICS
    return Signal.METRICS if is_metric else Signal.TRACES


def _fields(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Yield number and wire type of each field, with its bytes if it has a length."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        inner = b""
        match wire_type:
            case 0:
                at = varint(data, at)[1]
            case 1:
                at += 8
            case 2:
                size, at = varint(data, at)
                inner = data[at : at + size]
                at += size
            case 5:
                at += 4
            case _:
                return
        yield (number, wire_type), inner
