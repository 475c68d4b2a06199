"""The application: one request, from its headers to its answer."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from flowtui import installation
from flowtui.collector.decoding import Received, RequestOutcome
from flowtui.collector.limits import LIMITS, Full, Limits, NotPacked, TooLarge, TooMuch
from flowtui.collector.listening import is_bearer
from flowtui.collector.places import Place, RequestPlaces
from flowtui.collector.responses import BodyEncoding, failure, success
from flowtui.collector.unpacking import Packing, can_unpack
from flowtui.collector.writing import Writer
from flowtui.store.errors import DatabaseError
from flowtui.store.otlp.items import Unreadable
from flowtui.store.otlp.signals import Signal

PATHS = {f"/v1/{signal}": signal for signal in Signal}


class Refused(Exception):
    """A request gets an error for an answer."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


ERRORS = (Refused, TooLarge, TooMuch, NotPacked, Unreadable, Full, DatabaseError)
"""What keeps a request from being taken, and is told to its client."""


def application(
    writer: Writer,
    token: str | None,
    limits: Limits = LIMITS,
    places: RequestPlaces | None = None,
) -> Starlette:
    """Return the application that hands spans to a writer.

    Args:
        writer: is running.
        token: what exporters must send as a bearer; None where they need not.
        limits: of each request, and of all that are under way.
        places: where others have some of them, too.
    """
    places = places or RequestPlaces(limits)

    async def taken(request: Request, encoding: BodyEncoding) -> RequestOutcome:
        client = request.client.host if request.client else ""
        with places.place(client) as place:
            received = await _received(request, encoding, client, place, limits)
            place.wait()
            writer.take(received)
            return await asyncio.wrap_future(received.outcome)

    async def receive(request: Request) -> Response:
        encoding = _encoding(request)
        try:
            if encoding is None:
                accepted = " or ".join(BodyEncoding)
                raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {accepted}")
            _check_token(request, token)
            outcome = await taken(request, encoding)
        except ClientDisconnect:
            # The client has left; an exporter sends the request again.
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except ERRORS as error:
            writer.tally.refused += 1
            return failure(encoding or BodyEncoding.JSON, status_of(error), str(error))
        signal = PATHS[request.url.path]
        return success(encoding, signal, outcome.rejected, outcome.reason)

    async def elsewhere(request: Request, _: Exception) -> Response:
        status = HTTPStatus.NOT_FOUND
        if request.url.path in PATHS:
            return failure(BodyEncoding.JSON, HTTPStatus.METHOD_NOT_ALLOWED, "send a POST request")
        message = f"OTLP is collected here, at {' and '.join(PATHS)}"
        return failure(_encoding(request) or BodyEncoding.JSON, status, message)

    return Starlette(
        routes=[Route(path, receive, methods=["POST"]) for path in PATHS],
        exception_handlers={404: elsewhere, 405: elsewhere},
    )


def _encoding(request: Request) -> BodyEncoding | None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return next((encoding for encoding in BodyEncoding if encoding == media_type), None)


def _check_token(request: Request, token: str | None) -> None:
    if token is not None and not is_bearer(request.headers.get("authorization", ""), token):
        raise Refused(HTTPStatus.UNAUTHORIZED, "the bearer token is missing or wrong")


def _packing(request: Request) -> Packing | None:
    """Return how a body is packed, None for a plain one."""
    named = request.headers.get("content-encoding", "identity").strip().lower()
    if named == "identity":
        return None
    found = next((packing for packing in Packing if packing == named), None)
    if found is not None and can_unpack(found):
        return found
    accepted = [packing for packing in Packing if can_unpack(packing)]
    send = f"send it plain, as {', as '.join(accepted[:-1])} or as {accepted[-1]}"
    if found is not None:
        send = f"{found} needs {installation.adding('receive')}; without it {send}"
    raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, send)


async def _received(
    request: Request, encoding: BodyEncoding, client: str, place: Place, limits: Limits
) -> Received:
    packing = _packing(request)
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limits.body_bytes:
        raise TooLarge(f"the body is more than {limits.body_bytes:,} bytes")
    try:
        async with asyncio.timeout(limits.body_s):
            body = await _body(request, place, limits.body_bytes)
    except TimeoutError:
        message = f"the body did not come within {limits.body_s:g} s"
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, message) from None
    signal = PATHS[request.url.path]
    return Received(body, encoding, packing, client, signal)


async def _body(request: Request, place: Place, limit: int) -> bytes:
    pieces = []
    left = limit
    async for piece in request.stream():
        left -= len(piece)
        if left < 0:
            raise TooLarge(f"the body is more than {limit:,} bytes")
        place.receive(len(piece))
        pieces.append(piece)
    return b"".join(pieces)


def status_of(error: Exception) -> HTTPStatus:
    """Return the status that tells one of `ERRORS`."""
    match error:
        case Refused():
            return error.status
        case TooLarge():
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        case TooMuch():
            return HTTPStatus.TOO_MANY_REQUESTS
        case Full() | DatabaseError():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            return HTTPStatus.BAD_REQUEST
