"""`flow-tui collect`: an OTLP/HTTP receiver that writes into a run."""

from __future__ import annotations

import gc
import importlib.util
import ipaddress
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowtui import format as fmt
from flowtui.into import Target
from flowtui.opening import WrongUsage
from flowtui.store.errors import StoreError

if TYPE_CHECKING:
    from flowtui.collector.writing import Tally

HOST = "127.0.0.1"
PORT = 4318
TOKEN_VARIABLE = "FLOW_TUI_TOKEN"
_NEEDED = ("starlette", "uvicorn")
_NAME_CHARACTERS = 40
_TROUBLE_CHARACTERS = 80


class CollectFailed(StoreError):
    """There is nothing to listen with, or nowhere to listen; `str()` says what to do."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen, and to whom."""

    host: str = HOST
    port: int = PORT
    token: str | None = None

    def check(self) -> None:
        """Raise for what cannot be, before anything is written.

        Raises:
            WrongUsage: others can reach the host, and no token keeps them out.
            CollectFailed: the extra is not installed.
        """
        if self.token is not None and not self.token.strip():
            raise WrongUsage("--token is empty")
        if self.token is None and not is_loopback(self.host):
            raise WrongUsage(
                f"--host {self.host} can be reached by others: give a --token that they must"
                f" send, or set {TOKEN_VARIABLE}"
            )
        if not all(importlib.util.find_spec(name) for name in _NEEDED):
            raise CollectFailed("to collect spans: pip install 'flow-tui[receive]'")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def bind(where: Listening) -> socket.socket:
    """Return the socket to listen on.

    Raises:
        CollectFailed: it cannot be had.
    """
    from flowtui.collector import server

    try:
        return server.listening(where.host, where.port)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"cannot listen on {where.host}:{where.port}: {reason}; another --port may do"
        raise CollectFailed(message) from error


def collect(target: Target, bound: socket.socket, where: Listening) -> None:
    """Receive spans into a run until a signal comes, and print what was received.

    Args:
        target: the run.
        bound: is closed afterwards.
        where: it is bound to.
    """
    from flowtui.collector import server
    from flowtui.collector.receiving import application
    from flowtui.collector.writing import Writer

    # Switched off for quick commands; this one may run for days.
    gc.enable()
    writer = Writer(target.database)
    line = _LiveLine(writer.tally)
    writer.start()
    try:
        server.serve(
            application(writer, where.token),
            bound,
            lambda: _print_where(target, bound, where),
            line.show,
        )
    finally:
        writer.stop()
        line.clear()
    print(f"{fmt.count(writer.tally.received, 'span')} into {target.line}{_rest(writer.tally)}")


def _print_where(target: Target, bound: socket.socket, where: Listening) -> None:
    address, port = bound.getsockname()[:2]
    ip = ipaddress.ip_address(address)
    host = socket.gethostname() if ip.is_unspecified else f"[{ip}]" if ip.version == 6 else ip
    print(f"collecting into {target.line}; Ctrl+C ends it")
    print(f"OTEL_EXPORTER_OTLP_ENDPOINT=http://{host}:{port}")
    print("OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
    if where.token is not None:
        print("OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20<the token>")
    sys.stdout.flush()


class _LiveLine:
    """One line on a terminal's stderr that says what was received so far."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._is_shown = sys.stderr.isatty()
        self._said = ""

    def show(self) -> None:
        text = _live(self._tally) if self._is_shown else ""
        if text != self._said:
            self._said = text
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._said:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _live(tally: Tally) -> str:
    if tally.trouble:
        return f"not written: {fmt.plain(tally.trouble, _TROUBLE_CHARACTERS)}"
    text = f"{fmt.count(tally.received, 'span')}{_rest(tally)}"
    last = fmt.plain(tally.last_name, _NAME_CHARACTERS)
    return f"{text} · last: {last}" if last else text


def _rest(tally: Tally) -> str:
    parts = fmt.counted([(tally.dropped, "dropped"), (tally.refused, "refused requests")])
    return "".join(f" · {part}" for part in parts)
