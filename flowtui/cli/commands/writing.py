"""Commands that write into a store what others made: runs of other tools, and spans."""

from __future__ import annotations

from contextlib import closing, nullcontext
from typing import Annotated

import typer

from flowtui.cli.commands.options import (
    GroupOption,
    NewOption,
    StoreOption,
)
from flowtui.cli.completing import complete_run
from flowtui.reports.usage import WrongUsage


def import_(
    path: Annotated[
        str,
        typer.Argument(metavar="PATH", help="What another tool wrote.", show_default=False),
    ],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", help="Its runs; none: all.", show_default=False),
    ] = None,
    store: StoreOption = None,
    group: GroupOption = None,
    link: Annotated[
        bool, typer.Option("--link", help="Link attachments where that works, not copy them.")
    ] = False,
) -> None:
    """Write runs of another tool into the store for good, or what is new in them."""
    from flowtui.cli import sources

    sources.import_runs(path, names or (), store, group, links=link)


def ingest(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[RUN] FILE...",
            help="The run, unless --new makes one, and files; `-` is standard input.",
            show_default=False,
        ),
    ],
    new: NewOption = None,
    group: GroupOption = None,
    store: StoreOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first thing that cannot be read.")
    ] = False,
) -> None:
    """Write spans out of files into a run: OTLP, Jaeger's or Zipkin's JSON, also packed."""
    from flowtui.cli import ingest as ingest_command
    from flowtui.cli import target_run

    run, files = (words[0], words[1:]) if new is None else (None, words)
    if not files:
        raise WrongUsage("give the FILE to read; `-` is standard input")
    ingest_command.check_readable(files)
    with target_run.target(run, new, group, store) as target:
        ingest_command.ingest(target, files, strict)


def collect(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="The run to write into, unless --new makes one.",
            autocompletion=complete_run,
            show_default=False,
        ),
    ] = None,
    new: NewOption = None,
    group: GroupOption = None,
    store: StoreOption = None,
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Where to listen; not on loopback: needs --token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="The port; 0: any free one.")
    ] = 4318,
    grpc_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="PORT",
            help="Where gRPC is answered; 4317, if --port is not given.",
            show_default=False,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN", envvar="FLOW_TUI_TOKEN", help="What exporters send as a bearer."
        ),
    ] = None,
    env: Annotated[
        bool,
        typer.Option(
            "--env", help="Print what to export where the application runs, and receive nothing."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Of --env: print JSON.")] = False,
    for_program: Annotated[bool, typer.Option("--for-program", hidden=True)] = False,
) -> None:
    """Receive spans over OTLP, HTTP and gRPC, and write them into a run, until Ctrl+C."""
    from flowtui.cli import collect as collect_command
    from flowtui.cli import target_run
    from flowtui.collector.listening import Listening

    where = Listening(host, port, token, grpc_port)
    if env:
        if not port:
            raise WrongUsage("--env tells the port: give the --port that is listened on")
        collect_command.print_variables(where, as_json)
        return
    if as_json:
        raise WrongUsage("--json is of --env: give both")
    if where.refusal:
        raise WrongUsage(where.refusal)
    where.check()
    with (
        collect_command.failures_reported(for_program),
        closing(collect_command.bind(where)) as bound,
        nullcontext(where.grpc_place()) as grpc_place,
        target_run.target(run, new, group, store) as target,
    ):
        collect_command.collect(target, bound, where, grpc_place, for_program=for_program)
