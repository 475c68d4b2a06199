"""Sends requests so that no key and no signed URL comes back in what is raised or logged.

httpx's own errors carry the request, and some of their texts a header or a URL. So none of them
leaves this module: what is raised instead is made of the cause alone, and outside of the handler,
where it takes no context with it.

httpx is imported where it is first used: it brings rich, which it has for a command of its own.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from flowtui.registry.errors import (
    KeyRefused,
    NotAllowed,
    RegistryBroken,
    RegistryError,
    RequestRefused,
    Unreachable,
    UploadCancelled,
)
from flowtui.registry.threads import interruptible
from flowtui.registry.values import Secret
from flowtui.store.errors import StoreError
from flowtui.store.values import JsonValue

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
Sink: TypeAlias = Callable[[bytes], None]
"""Takes a body piece by piece."""
Headers: TypeAlias = Mapping[str, str]

CONNECT_S = 10.0
MAX_ANSWER_BYTES = 32 << 20
STEP_BYTES = 64 << 10
"""How many bytes of a body, sent or received, count as progress; a byte now and then does not."""
_DETAIL_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class RequestPatience:
    """How long something is waited for, and how often and after which pauses it is tried again."""

    tries: int = 5
    first_pause_s: float = 0.5
    longest_pause_s: float = 8.0
    quiet_s: float = 120.0
    """From the beginning of a request, or its last `STEP_BYTES` of a body, to the next or its end.

    A connection's own timeout begins anew with each byte.
    """
    clock: Callable[[], float] = time.monotonic
    """Gives seconds, from any start."""

    def retry(self, ask: Callable[[], T], is_passing: Callable[[Exception], bool]) -> T:
        """Return the answer; after a failure that may pass, wait and ask again."""
        import stamina
        from stamina.instrumentation import set_on_retry_hooks

        # Otherwise stamina would write each retry to stderr, and so into the app's screen.
        set_on_retry_hooks([])
        for attempt in stamina.retry_context(
            on=is_passing,
            attempts=self.tries,
            timeout=None,
            wait_initial=self.first_pause_s,
            wait_max=self.longest_pause_s,
            wait_jitter=self.first_pause_s / 2,
        ):
            with attempt:
                return ask()
        raise AssertionError("stamina raises the last failure")


class _Watch:
    """Notices a request that makes no progress."""

    def __init__(self, patience: RequestPatience) -> None:
        self._patience = patience
        self._since = patience.clock()
        self._moved = 0

    def is_over(self) -> bool:
        return self._patience.clock() - self._since > self._patience.quiet_s

    def move(self, count: int) -> None:
        """Count bytes of a body."""
        self._moved += count
        if self._moved >= STEP_BYTES:
            self._moved = 0
            self._since = self._patience.clock()

    def sending(self, content: Iterable[bytes]) -> Iterator[bytes]:
        for piece in content:
            yield piece
            if self.is_over():
                # Nobody waits for it any more.
                raise UploadCancelled("the request was cancelled")
            self.move(len(piece))


def is_passing(error: Exception) -> bool:
    """Say whether a question that changes nothing may be asked again after a failure."""
    return isinstance(error, (Unreachable, RegistryBroken))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def new_client(
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    """Return a client that sends requests.

    Args:
        timeout_s: How long each read and write of a connection may take.
        headers: Sent with every request.
        transport: Used in place of the network.
    """
    import httpx

    # At their lower levels they log every URL, and headers with keys in them.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    timeout = httpx.Timeout(timeout_s, connect=CONNECT_S)
    return httpx.Client(headers=dict(headers or {}), timeout=timeout, transport=transport)


def send(
    client: httpx.Client,
    method: str,
    url: Secret,
    place: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | Iterable[bytes] | None = None,
    with_body: bool = True,
    into: Callable[[int, Headers], Sink | None] | None = None,
    patience: RequestPatience | None = None,
) -> Answer:
    """Send a request and return the answer, whatever its status.

    Args:
        client: What sends it.
        method: The HTTP method.
        url: Where it goes; the registry's own URLs are secret, too.
        place: What a message calls the other side: its base URL, or `the storage`.
        headers: Sent besides the client's.
        content: The body.
        with_body: False leaves the answer's body where it is.
        into: Takes status and headers of the answer, and returns what takes its body; where it
            returns None, the body becomes the answer's.
        patience: How long the other side may take; the usual unless given.

    Raises:
        Unreachable: No answer came, or not to its end.
        Whatever `content` and `into` raise.
    """
    watch = _Watch(patience or RequestPatience())
    if content is not None and not isinstance(content, bytes):
        content = watch.sending(content)

    def ask() -> Answer:
        return _sent(client, method, url, place, headers, content, with_body, into, watch)

    try:
        # A read that gets a byte at a time cannot be ended from another thread, only left.
        return interruptible(ask, watch.is_over)
    except UploadCancelled:
        if not watch.is_over():
            raise
    raise Unreachable(f"{place} cannot be reached: it answers too slowly")


def _sent(
    client: httpx.Client,
    method: str,
    url: Secret,
    place: str,
    headers: Mapping[str, str] | None,
    content: bytes | Iterable[bytes] | None,
    with_body: bool,
    into: Callable[[int, Headers], Sink | None] | None,
    watch: _Watch,
) -> Answer:
    import httpx

    from_body: Exception | None = None
    try:
        with client.stream(
            method, url.reveal(), headers=dict(headers or {}), content=content
        ) as response:
            sink = None if into is None else into(response.status_code, response.headers)
            if sink is not None:
                _poured(response, sink, watch)
                with_body = False
            body = _bounded(response, watch) if with_body else b""
            return Answer(response.status_code, response.headers, body)
    except httpx.TimeoutException:
        failure = "it does not answer in time"
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        failure = _cause(error)
    except (RegistryError, StoreError) as error:
        from_body = error
    if from_body is not None:
        # Without the frames of httpx, whose variables hold the URL.
        raise from_body.with_traceback(None)
    raise Unreachable(f"{place} cannot be reached: {failure}")


def checked(answer: Answer, place: str) -> JsonValue:
    """Return the JSON of a good answer, None for one without a body.

    Args:
        answer: The registry's.
        place: Its base URL.

    Raises:
        RegistryError: The kind of error that the status stands for.
    """
    status = answer.status
    if 200 <= status < 300:
        try:
            parsed: JsonValue = json.loads(answer.body) if answer.body else None
        except (ValueError, RecursionError):
            parsed = ""
        if parsed == "":
            raise RegistryBroken(
                f"{place} answers something that is not JSON; is it a LUML server?"
            )
        return parsed
    raise _refusal(answer, place)


def _refusal(answer: Answer, place: str) -> RegistryError:
    status, detail = answer.status, _detail(answer.body)
    if status == 401:
        return KeyRefused("the registry does not know this key; a new key ends the old one")
    if status == 403:
        return NotAllowed(f"the registry does not allow it: {detail or 'no reason given'}")
    if 300 <= status < 400:
        message = f"{place} sends requests elsewhere ({status}); set LUML_BASE_URL to where it is"
        return RequestRefused(message, status)
    if status >= 500 or status == 429:
        return RegistryBroken(f"the registry failed ({status}); try again later")
    return RequestRefused(f"the registry did not take it ({status}): {detail}", status)


def _detail(body: bytes) -> str:
    """Return what a refusal says; a validation's list as its places and messages."""
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    if isinstance(detail, list):
        detail = "; ".join(
            f"{'.'.join(map(str, item.get('loc', ())))}: {item.get('msg', '')}"
            for item in detail
            if isinstance(item, dict) and isinstance(item.get("loc", ()), (list, tuple))
        )
    return without_secrets(str(detail))[:_DETAIL_CHARACTERS]


def without_secrets(text: str) -> str:
    """Return a text with keys and the signed part of URLs taken out."""
    text = re.sub(r"dfs_[\w-]+", "dfs_…", text)
    return re.sub(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*", r"\1?…", text)


def _bounded(response: httpx.Response, watch: _Watch) -> bytes:
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        watch.move(len(piece))
        if len(body) > MAX_ANSWER_BYTES:
            raise OSError("its answer is too large")
    return bytes(body)


def _poured(response: httpx.Response, sink: Sink, watch: _Watch) -> None:
    """Give a body to a sink, as it is sent."""
    for piece in response.iter_raw():
        if watch.is_over():
            # Nobody waits for it any more.
            raise UploadCancelled("the request was cancelled")
        sink(piece)
        watch.move(len(piece))


def _cause(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return "its URL is neither http nor https"
    if isinstance(error, httpx.LocalProtocolError):
        # Its text quotes the header.
        return "the request cannot be sent"
    # The number in front of the system's message is for programs.
    text = re.sub(r"^\[Errno -?\d+\] ", "", str(error))
    return without_secrets(text) or type(error).__name__
