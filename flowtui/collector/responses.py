"""What OTLP answers: over HTTP in the encoding of the request, and over gRPC."""

from __future__ import annotations

import json
from enum import StrEnum
from http import HTTPStatus

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.responses import Response

from flowtui.store.otlp.signals import Signal

RETRY_AFTER_S = 1


class BodyEncoding(StrEnum):
    """The encoding of a request and its answer, as a media type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


# google.rpc.Code, of which an exporter only shows the number.
_RPC_CODES = {
    HTTPStatus.BAD_REQUEST: 3,
    HTTPStatus.REQUEST_TIMEOUT: 4,
    HTTPStatus.NOT_FOUND: 5,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: 8,
    HTTPStatus.TOO_MANY_REQUESTS: 8,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: 12,
    HTTPStatus.SERVICE_UNAVAILABLE: 14,
    HTTPStatus.UNAUTHORIZED: 16,
}
_UNKNOWN = 2
_RESOURCE_EXHAUSTED = 8
_COME_AGAIN = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)
_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
_MESSAGE_CHARS = 500


ExportResponse = (
    ExportTraceServiceResponse | ExportLogsServiceResponse | ExportMetricsServiceResponse
)
_RESPONSES: dict[Signal, tuple[type[ExportResponse], str]] = {
    Signal.TRACES: (ExportTraceServiceResponse, "rejected_spans"),
    Signal.LOGS: (ExportLogsServiceResponse, "rejected_log_records"),
    Signal.METRICS: (ExportMetricsServiceResponse, "rejected_data_points"),
}
"""The answer to each signal, and the field of its partial success that counts what is refused."""


def export_response(signal: Signal, rejected: int, reason: str) -> ExportResponse:
    """Return that all that is kept is on the disk, but for so many that are not valid."""
    response, rejected_field = _RESPONSES[signal]
    answer = response()
    if rejected:
        setattr(answer.partial_success, rejected_field, rejected)
        answer.partial_success.error_message = reason
    return answer


def success(encoding: BodyEncoding, signal: Signal, rejected: int, reason: str) -> Response:
    """Return `export_response` in the encoding of the request."""
    answer = export_response(signal, rejected, reason)
    if encoding is BodyEncoding.PROTOBUF:
        return Response(answer.SerializeToString(), media_type=encoding)
    return Response(json.dumps(MessageToDict(answer)), media_type=encoding)


def failure(encoding: BodyEncoding, status: HTTPStatus, message: str) -> Response:
    """Return the answer that nothing was taken; it ends a connection whose body was not read."""
    code = _RPC_CODES.get(status, _UNKNOWN)
    text = message[:_MESSAGE_CHARS]
    headers = {"connection": "close"}
    if status in _COME_AGAIN:
        headers["retry-after"] = str(RETRY_AFTER_S)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if encoding is BodyEncoding.JSON:
        body = json.dumps({"code": code, "message": text}).encode()
    else:
        body = _rpc_status(code, text)
    return Response(body, status, headers, encoding)


def rpc_failure(status: HTTPStatus, message: str) -> tuple[int, str, bytes]:
    """Return what a call is answered where a request is answered with a status.

    An exporter comes again after RESOURCE_EXHAUSTED only if it is told when.

    Returns:
        The google.rpc.Code, the message, and the google.rpc.Status.
    """
    text = message[:_MESSAGE_CHARS]
    if status not in _COME_AGAIN:
        code = _RPC_CODES.get(status, _UNKNOWN)
        return code, text, _rpc_status(code, text)
    code = _RESOURCE_EXHAUSTED
    delay = Duration(seconds=RETRY_AFTER_S).SerializeToString()
    # A google.rpc.RetryInfo: field 1 the delay.
    retry = Any(type_url=_RETRY_INFO, value=_bytes_field(1, delay)).SerializeToString()
    return code, text, _rpc_status(code, text) + _bytes_field(3, retry)


def _rpc_status(code: int, message: str) -> bytes:
    """Return a google.rpc.Status: field 1 the code, field 2 the message, field 3 details.

    Written by hand, since nothing else here needs the package that defines it.
    """
    return bytes([0x08, code]) + _bytes_field(2, message.encode("utf-8", "replace"))


def _bytes_field(number: int, data: bytes) -> bytes:
    length = bytearray()
    left = len(data)
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    length.append(left)
    return bytes([number << 3 | 2]) + bytes(length) + data
