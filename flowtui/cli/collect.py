"""`flow-tui collect`: an OTLP/HTTP receiver that writes into a run."""

from __future__ import annotations

import gc
import ipaddress
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from flowtui import format as fmt
from flowtui.cli.target_run import Target
from flowtui.collector import reporting
from flowtui.collector.listening import CannotListen, Listening
from flowtui.store import transaction
from flowtui.store.errors import DatabaseBusy, StoreError

if TYPE_CHECKING:
    from flowtui.collector.writing import WriterTally

_NAME_CHARACTERS = 40
_TROUBLE_CHARACTERS = 80
_SWITCH_S = 0.001


def bind(where: Listening) -> socket.socket:
    """Return the socket to listen on.

    Raises:
        CannotListen: The address cannot be bound.
    """
    from flowtui.collector import server

    try:
        return server.listening(where.host, where.port)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"cannot listen on {where.host}:{where.port}: {reason}; another --port may work"
        raise CannotListen(message) from error


def collect(
    target: Target, bound: socket.socket, where: Listening, *, for_program: bool = False
) -> None:
    """Receive spans into a run until a signal comes, and report what was received.

    Args:
        target: The run.
        bound: The listening socket, which is closed afterwards.
        where: The address that it is bound to.
        for_program: Report in JSON, and end with standard input, too.

    Raises:
        DatabaseError: Nothing can be written into the run.
    """
    from flowtui.collector import server
    from flowtui.collector.receiving import application
    from flowtui.collector.writing import Writer

    # Without this check a person would learn only from the log of an exporter that nothing can be
    # written. A writer that is at work is waited for later.
    with suppress(DatabaseBusy):
        transaction.write(target.database, lambda _: None)
    # The garbage collector is off for quick commands; this one may run for days.
    gc.enable()
    # A request switches threads ten times; by default, decoding in another thread would hold each
    # switch up for 5 ms.
    sys.setswitchinterval(_SWITCH_S)
    writer = Writer(target.database)
    report: _Report = _ForProgram(writer.tally) if for_program else _ForPerson(writer.tally, target)
    writer.start()
    try:
        server.serve(
            application(writer, where.token),
            bound,
            lambda: report.ready(bound, where),
            report.show,
            writer.hurry,
        )
    finally:
        writer.stop()
        report.end()


@contextmanager
def failures_reported(for_program: bool) -> Iterator[None]:
    """Report to the program that started this one why nothing is collected."""
    try:
        yield
    except StoreError as error:
        if not for_program:
            raise
        is_port = isinstance(error, CannotListen)
        reporting.tell({"failed": str(error)[: reporting.TEXT_CHARACTERS], "port_taken": is_port})
        sys.exit(1)


def environment(bound: socket.socket, where: Listening) -> list[str]:
    """Return the variables that point an exporter to a socket."""
    address, port = bound.getsockname()[:2]
    ip = ipaddress.ip_address(address)
    host = socket.gethostname() if ip.is_unspecified else f"[{ip}]" if ip.version == 6 else ip
    variables = [
        f"OTEL_EXPORTER_OTLP_ENDPOINT=http://{host}:{port}",
        "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
    ]
    if where.token is not None:
        variables.append("OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20<the token>")
    return variables


class _Report(Protocol):
    """Reports how collecting goes; everything is called in the thread that serves."""

    def ready(self, bound: socket.socket, where: Listening) -> None: ...

    def show(self) -> None: ...

    def end(self) -> None: ...


class _ForProgram:
    """Prints lines of JSON on stdout, one whenever something has changed."""

    def __init__(self, tally: WriterTally) -> None:
        self._tally = tally
        self._said: dict[str, object] = {}

    def ready(self, bound: socket.socket, where: Listening) -> None:
        port = bound.getsockname()[1]
        reporting.tell({"listening": environment(bound, where), "port": port})
        reporting.end_with_stdin()

    def show(self) -> None:
        tally = self._tally
        now: dict[str, object] = {
            "received": tally.received,
            "dropped": tally.dropped,
            "refused": tally.refused,
            "last_name": tally.last_name[: reporting.TEXT_CHARACTERS],
            "trouble": tally.trouble[: reporting.TEXT_CHARACTERS],
        }
        if now != self._said and reporting.tell(now):
            self._said = now

    def end(self) -> None:
        self.show()


class _ForPerson:
    """Prints where to point exporters, progress on a terminal's stderr, and the totals."""

    def __init__(self, tally: WriterTally, target: Target) -> None:
        self._tally = tally
        self._target = target
        self._is_shown = sys.stderr.isatty()
        self._said = ""

    def ready(self, bound: socket.socket, where: Listening) -> None:
        print(f"collecting into {self._target.line}; Ctrl+C ends it")
        print("\n".join(environment(bound, where)), flush=True)

    def show(self) -> None:
        text = _live(self._tally) if self._is_shown else ""
        if text != self._said:
            self._said = text
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._said:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        spans = fmt.count(self._tally.received, "span")
        print(f"{spans} into {self._target.line}{_rest(self._tally)}")


def _live(tally: WriterTally) -> str:
    if tally.trouble:
        return f"not written: {fmt.plain(tally.trouble, _TROUBLE_CHARACTERS)}"
    text = f"{fmt.count(tally.received, 'span')}{_rest(tally)}"
    last = fmt.plain(tally.last_name, _NAME_CHARACTERS)
    return f"{text} · last: {last}" if last else text


def _rest(tally: WriterTally) -> str:
    return "".join(f" · {part}" for part in fmt.lost_spans(tally.dropped, tally.refused))
