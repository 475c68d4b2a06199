"""Commands for a run while it runs: start its program and follow it, or wait for its end."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from flowtui.cli.commands.options import (
    GroupOption,
    RunArgument,
    StoreOption,
)
from flowtui.cli.stores import open_run
from flowtui.reports.usage import WrongUsage


def run_(
    program: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROGRAM [ARG]...", help="What to start; after `--`.", show_default=False
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(metavar="N", help="Of the run that is made if it logs spans only."),
    ] = "",
    group: GroupOption = None,
    store: StoreOption = None,
    attach: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Come back to a program that was left running."),
    ] = None,
) -> None:
    """Start a program, trace it and follow its run; exit as it does, 125 to 127 if it cannot."""
    from flowtui.cli import run as running
    from flowtui.launch.request import LaunchRequest

    with running.own_failures():
        if bool(program) == (attach is not None):
            raise WrongUsage("give a PROGRAM to start, or --attach RUN")
        if attach is not None:
            code = running.attach(attach)
        else:
            code = running.run(LaunchRequest(tuple(program or ()), name, group, store))
    sys.exit(code)


def wait(
    run: RunArgument,
    store: StoreOption = None,
    until: Annotated[
        str,
        typer.Option(
            metavar="EXPR", help="End when this holds, too: `val/loss < 0.4`, `step > 10000`."
        ),
    ] = "",
    timeout: Annotated[
        str | None, typer.Option(metavar="T", help="Give up after 90 (seconds), 30s, 2h ...")
    ] = None,
) -> None:
    """Wait for the end of a run: exit 0 if it ended well, 3 if it failed, 124 on the timeout."""
    from flowtui.cli import wait as waiting

    timeout_s = None if timeout is None else waiting.seconds(timeout)
    opened, found = open_run(run, store)
    sys.exit(waiting.wait(opened, found, until, timeout_s))
