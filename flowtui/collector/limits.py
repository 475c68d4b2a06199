"""How much requests may take, each and all together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """For one receiver; exporters send some hundred kilobytes at a time."""

    body_bytes: int = 16 << 20
    unpacked_bytes: int = 64 << 20
    members: int = 1_000
    """Of a gzip body, which is one as a rule."""
    spans: int = 100_000
    """Of a request, those that are not valid among them."""
    span_parts: int = 500_000
    """Attributes, events, links, and values in values of one span."""
    all_bytes: int = 64 << 20
    """Of all bodies under way, those too that are not here to their end."""
    all_requests: int = 256
    """Whose body is here, and that wait to be written."""
    client_bytes: int = 32 << 20
    """As `all_bytes`, of one address."""
    client_requests: int = 128
    connections: int = 512
    header_s: float = 10.0
    """From a connection, or its last answer, to the end of the next request's headers."""
    body_s: float = 10.0
    """From the headers to the end of the body."""
    decode_s: float = 5.0
    """Of the processor's time, for one request."""
    drain_s: float = 1.0
    """For requests that are under way when the receiver is told to stop."""


LIMITS = Limits()


class TooLarge(Exception):
    """A request is larger than it may be, and would be again; `str()` says by which limit."""


class NotPacked(Exception):
    """A body is not what its Content-Encoding says."""


class Full(Exception):
    """There is no place for another request until others are done."""


class TooMuch(Exception):
    """One client has as much under way as one may; others have not."""
