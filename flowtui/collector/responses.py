"""What OTLP/HTTP answers, in the encoding of the request."""

from __future__ import annotations

import json
from enum import StrEnum
from http import HTTPStatus

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.responses import Response

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
_MESSAGE_CHARS = 500


def success(encoding: BodyEncoding, rejected: int, reason: str) -> Response:
    """Return the answer that all valid spans are on the disk."""
    if encoding is BodyEncoding.PROTOBUF:
        answer = ExportTraceServiceResponse()
        if rejected:
            answer.partial_success.rejected_spans = rejected
            answer.partial_success.error_message = reason
        return Response(answer.SerializeToString(), media_type=encoding)
    partial = {"rejectedSpans": str(rejected), "errorMessage": reason}
    return Response(
        json.dumps({"partialSuccess": partial} if rejected else {}), media_type=encoding
    )


def failure(encoding: BodyEncoding, status: HTTPStatus, message: str) -> Response:
    """Return the answer that nothing was taken; it ends a connection whose body was not read."""
    code = _RPC_CODES.get(status, _UNKNOWN)
    text = message[:_MESSAGE_CHARS]
    headers = {"connection": "close"}
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["retry-after"] = str(RETRY_AFTER_S)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if encoding is BodyEncoding.JSON:
        body = json.dumps({"code": code, "message": text}).encode()
    else:
        body = _rpc_status(code, text.encode("utf-8", "replace"))
    return Response(body, status, headers, encoding)


def _rpc_status(code: int, message: bytes) -> bytes:
    """Return a google.rpc.Status: field 1 the code, field 2 the message.

    Written by hand, since nothing else here needs the package that defines it.
    """
    length = bytearray()
    left = len(message)
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    length.append(left)
    return bytes([0x08, code, 0x12]) + bytes(length) + message
