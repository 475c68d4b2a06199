"""Where a receiver listens and to whom, and why it may not."""

from __future__ import annotations

import hmac
import importlib.util
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import unquote

from flowtui import installation
from flowtui.store.errors import StoreError

HOST = "127.0.0.1"
PORT = 4318
GRPC_PORT = 4317
TOKEN_VARIABLE = "FLOW_TUI_TOKEN"
_BEARER = "bearer "
_NEEDED = ("starlette", "uvicorn")


class CollectFailed(StoreError):
    """There is nothing to listen with, or nowhere to listen; `str()` says what to do."""


class CannotListen(CollectFailed):
    """The port is taken, or the host is not of this machine."""


@dataclass
class GrpcPlace:
    """Where calls are answered, or why they are not."""

    host: str
    port: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen, and to whom."""

    host: str = HOST
    port: int = PORT
    token: str | None = None
    grpc_port: int | None = None
    """None: the usual one beside the usual port, and none beside another."""

    @property
    def refusal(self) -> str:
        """Why listening like this is refused; empty where it is allowed."""
        if self.token is not None and not self.token.strip():
            return "--token is empty"
        if self.token is None and not is_loopback(self.host):
            return (
                f"--host {self.host} can be reached by others: give a --token that they must"
                f" send, or set {TOKEN_VARIABLE}"
            )
        return ""

    def grpc_place(self) -> GrpcPlace | None:
        """Return where gRPC is to be answered, None where nobody expects it.

        Raises:
            CollectFailed: it was asked for, and cannot be.
        """
        if self.grpc_port is None and self.port != PORT:
            return None
        place = GrpcPlace(self.host, GRPC_PORT if self.grpc_port is None else self.grpc_port)
        if importlib.util.find_spec("grpc") is None:
            place.problem = f"grpcio is not installed; {installation.adding('receive')}"
        elif not _is_free(place.host, place.port):
            place.problem = (
                f"cannot listen on {place.host}:{place.port}; another --grpc-port may do"
            )
        if place.problem and self.grpc_port is not None:
            raise CollectFailed(f"no gRPC: {place.problem}")
        return place

    def check(self) -> None:
        """Raise if the extra that listens is not installed, before anything is written.

        Raises:
            CollectFailed: It is not installed.
        """
        if not all(importlib.util.find_spec(name) for name in _NEEDED):
            raise CollectFailed(f"to collect spans: {installation.adding('receive')}")


def _is_free(host: str, port: int) -> bool:
    """Return whether a port can be listened on: gRPC takes no socket that is bound."""
    try:
        bound(host, port).close()
    except OSError:
        return False
    return True


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound.

    Args:
        host: a name or an address.
        port: 0 for one that is free.

    Raises:
        OSError: the port is taken, or the address is not of this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_bearer(authorization: str, token: str) -> bool:
    """Return whether a header bears the token.

    It may be percent-encoded, since some exporters send it as it stands in their environment.
    """
    said = authorization if " " in authorization else unquote(authorization)
    is_right_kind = said[: len(_BEARER)].lower() == _BEARER
    # The time that it takes must not tell how much of a token is right.
    return hmac.compare_digest(said[len(_BEARER) :].strip().encode(), token.encode()) and (
        is_right_kind
    )
