"""Where a receiver listens and to whom, and why it may not."""

from __future__ import annotations

import importlib.util
import ipaddress
from dataclasses import dataclass

from flowtui import installation
from flowtui.store.errors import StoreError

HOST = "127.0.0.1"
PORT = 4318
TOKEN_VARIABLE = "FLOW_TUI_TOKEN"
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
        """Why listening like this is refused; empty where it is allowed."""
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
            CollectFailed: It is not installed.
        """
        if not all(importlib.util.find_spec(name) for name in _NEEDED):
            raise CollectFailed(f"to collect spans: {installation.adding('receive')}")


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
