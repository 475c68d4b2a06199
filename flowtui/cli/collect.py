"""`flow-tui collect`: an OTLP/HTTP receiver that writes into a run."""

from __future__ import annotations

import gc
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from flowtui import format as fmt
from flowtui.cli.target_run import Target
from flowtui.collector import listening, reporting, variables
from flowtui.collector.listening import CannotListen, GrpcPlace, Listening
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
    try:
        return listening.bound(where.host, where.port)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"cannot listen on {where.host}:{where.port}: {reason}; another --port may work"
        raise CannotListen(message) from error


def collect(
    target: Target,
    bound: socket.socket,
    where: Listening,
    grpc_place: GrpcPlace | None = None,
    *,
    for_program: bool = False,
) -> None:
    """Receive spans into a run until a signal comes, and report what was received.

    Args:
        target: the run.
        bound: is closed afterwards.
        where: it is bound to.
        grpc_place: where gRPC is answered; None where nowhere.
        for_program: tell in JSON, and end with standard input, too.

    Raises:
        DatabaseError: Nothing can be written into the run.
    """
    from flowtui.collector import server
    from flowtui.collector.limits import LIMITS
    from flowtui.collector.places import RequestPlaces
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
    places = RequestPlaces(LIMITS)

    def knocked() -> None:
        writer.tally.hint = _hint(bound, where, grpc_place)

    def beside() -> server.Beside:
        from flowtui.collector.grpc_receiving import GrpcReceiver

        assert grpc_place is not None
        return GrpcReceiver(grpc_place, writer, places, where.token)

    has_grpc = grpc_place is not None and not grpc_place.problem
    writer.start()
    try:
        server.serve(
            application(writer, where.token, LIMITS, places),
            bound,
            lambda: report.ready(bound, where, grpc_place),
            report.show,
            writer.hurry,
            knocked=knocked,
            beside=beside if has_grpc else None,
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
    host, port = bound.getsockname()[:2]
    found = [
        f"OTEL_EXPORTER_OTLP_ENDPOINT={variables.address(host, port)}",
        "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
    ]
    if where.token is not None:
        found.append("OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20<the token>")
    return found


def _grpc_address(bound: socket.socket, place: GrpcPlace) -> str:
    url = variables.address(bound.getsockname()[0], place.port)
    return f"OTEL_EXPORTER_OTLP_ENDPOINT={url} OTEL_EXPORTER_OTLP_PROTOCOL=grpc"


def _hint(bound: socket.socket, where: Listening, place: GrpcPlace | None) -> str:
    """Return what mends that a client of gRPC comes to the port of HTTP."""
    way = environment(bound, where)[1]
    if place is not None and not place.problem:
        way = f"{_grpc_address(bound, place)}, or with {way}"
    return f"an exporter came to port {bound.getsockname()[1]} with gRPC; start it with {way}"


def print_variables(where: Listening, as_json: bool) -> None:
    """Print what an application needs in its environment, for a shell or as one object."""
    if as_json:
        print(json.dumps(variables.variables(where), indent=2))
    else:
        print(variables.for_shell(where))


class _Report(Protocol):
    """Reports how collecting goes; everything is called in the thread that serves."""

    def ready(
        self, bound: socket.socket, where: Listening, grpc_place: GrpcPlace | None
    ) -> None: ...

    def show(self) -> None: ...

    def end(self) -> None: ...


class _ForProgram:
    """Prints lines of JSON on stdout, one whenever something has changed."""

    def __init__(self, tally: WriterTally) -> None:
        self._tally = tally
        self._said: dict[str, object] = {}

    def ready(self, bound: socket.socket, where: Listening, grpc_place: GrpcPlace | None) -> None:
        port = bound.getsockname()[1]
        if grpc_place is not None and grpc_place.problem:
            self._tally.hint = f"no gRPC: {grpc_place.problem}"
        reporting.tell({"listening": environment(bound, where), "port": port})
        reporting.end_with_stdin()

    def show(self) -> None:
        tally = self._tally
        now: dict[str, object] = {
            "received": tally.received,
            "events": tally.events,
            "logs": tally.logs,
            "metrics": tally.metrics,
            "dropped": tally.dropped,
            "refused": tally.refused,
            "last_name": tally.last_name[: reporting.TEXT_CHARACTERS],
            "trouble": tally.trouble[: reporting.TEXT_CHARACTERS],
            "hint": tally.hint[: reporting.TEXT_CHARACTERS],
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
        self._is_hinted = False

    def ready(self, bound: socket.socket, where: Listening, grpc_place: GrpcPlace | None) -> None:
        print(f"collecting into {self._target.line}; Ctrl+C ends it")
        if grpc_place is not None and grpc_place.problem:
            print(f"no gRPC: {grpc_place.problem}")
        elif grpc_place is not None:
            print(f"over gRPC: {_grpc_address(bound, grpc_place)}")
        print("\n".join(environment(bound, where)), flush=True)

    def show(self) -> None:
        if self._tally.hint and not self._is_hinted:
            self._is_hinted = True
            print(
                f"\r\x1b[K{self._tally.hint}" if self._said else self._tally.hint, file=sys.stderr
            )
            self._said = ""
        text = _live(self._tally) if self._is_shown else ""
        if text != self._said:
            self._said = text
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._said:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        print(f"{_kept(self._tally)} into {self._target.line}{_rest(self._tally)}")


def _live(tally: WriterTally) -> str:
    if tally.trouble:
        return f"not written: {fmt.plain(tally.trouble, _TROUBLE_CHARACTERS)}"
    text = f"{_kept(tally)}{_rest(tally)}"
    last = fmt.plain(tally.last_name, _NAME_CHARACTERS)
    return f"{text} · last: {last}" if last else text


def _kept(tally: WriterTally) -> str:
    spans = fmt.count(tally.received, "span")
    return f"{spans}, {fmt.count(tally.events, 'log event')}" if tally.events else spans


def _rest(tally: WriterTally) -> str:
    others = fmt.unkept_records(tally.logs, tally.metrics)
    parts = fmt.lost_spans(tally.dropped, tally.refused) + ([others] if others else [])
    return "".join(f" · {part}" for part in parts)
