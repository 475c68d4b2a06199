"""Where a receiver listens and to whom, and why it may not."""

from __future__ import annotations

import hmac
import importlib.util
import ipaddress
from dataclasses import dataclass
from urllib.parse import unquote

from flowtui import installation
from flowtui.store.errors import StoreError

HOST = "127.0.0.1"
PORT = 4318
TOKEN_VARIABLE = "FLOW_TUI_TOKEN"
_BEARER = "bearer "
_NEEDED = ("starlette", "uvicorn")


class CollectFailed(StoreError):
    """There is nothing to listen with, or nowhere to listen; `str()` says what to do."""


class CannotListen(CollectFailed):
    """The port is taken, or the host is not of this machine."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen, and to whom."""

    host: str = HOST
    port: int = PORT
    token: str | None = None

    @property
    def refusal(self) -> str:
        """Why nothing may listen so; nothing where it may."""
        if self.token is not None and not self.token.strip():
            return "--token is empty"
        if self.token is None and not is_loopback(self.host):
            return (
                f"--host {self.host} can be reached by others: give a --token that they must"
                f" send, or set {TOKEN_VARIABLE}"
            )
        return ""

    def check(self) -> None:
        """Raise if the extra that listens is not installed, before anything is written.

        Raises:
            CollectFailed: it is not.
        """
        if not all(importlib.util.find_spec(name) for name in _NEEDED):
            raise CollectFailed(f"to collect spans: {installation.adding('receive')}")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host."""
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
