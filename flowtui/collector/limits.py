"""How much requests may take, each and all together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one receiver takes; exporters send some hundred kilobytes at a time."""

    body_bytes: int = 16 << 20
    unpacked_bytes: int = 64 << 20
    members: int = 1_000
    """Members of a gzip body, which usually has one."""
    spans: int = 100_000
    """Spans of a request, invalid ones included."""
    span_parts: int = 500_000
    """Attributes, events, links and nested values of one span."""
    all_bytes: int = 64 << 20
    """Bytes of all bodies under way, incomplete ones included."""
    all_requests: int = 256
    """Requests whose body is complete and that wait to be written."""
    client_bytes: int = 32 << 20
    """As `all_bytes`, for one address."""
    client_requests: int = 128
    connections: int = 512
    header_s: float = 10.0
    """From a connection, or its last answer, to the end of the next request's headers."""
    body_s: float = 10.0
    """From the headers to the end of the body."""
    decode_s: float = 5.0
    """Processor time for one request."""
    drain_s: float = 1.0
    """How long requests may go on after the receiver is told to stop."""


LIMITS = Limits()


class TooLarge(Exception):
    """A request is larger than it may be, and would be again; `str()` says by which limit."""


class NotPacked(Exception):
    """A body is not what its Content-Encoding says."""


class Full(Exception):
    """There is no place for another request until others are done."""


class TooMuch(Exception):
    """One client has as much under way as a client may; others may send."""
