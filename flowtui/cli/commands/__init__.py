"""The program as typer reads it: its commands, in the order of `--help` and of the manual page.

What a command takes is a function in a module beside this one, and what it does is imported when it
is called: a command pays only for what it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

import typer

from flowtui import __version__
from flowtui.cli.commands import about, care, opening, printing, running, sharing, writing
from flowtui.cli.commands.parsing import (
    OPEN,
    RUN,
    VERSION,
    OpenByDefault,
    OpenCommand,
    RunCommand,
)
from flowtui.cli.completing import CompletingCommand
from flowtui.cli.opening import COMMANDS, Opening, commands_near
from flowtui.cli.stores import open_run
from flowtui.reports.usage import WrongUsage
from flowtui.store.errors import StoreError

cli = typer.Typer(
    cls=OpenByDefault,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"flow-tui {__version__}")
        raise typer.Exit


@cli.callback()
def program(
    version: Annotated[
        bool,
        typer.Option(VERSION, callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """The record of a machine-learning run, in the terminal: `flow-tui [RUN]`."""


def help_(
    command: Annotated[
        str | None,
        typer.Argument(metavar="[COMMAND]", help="A command; none: all.", show_default=False),
    ] = None,
    man: Annotated[
        bool, typer.Option("--man", help="Print the manual page, for `man -l -`.")
    ] = False,
    store: Annotated[str | None, typer.Option("--store", "-s", hidden=True)] = None,
) -> None:
    """Print what the program or a command takes. The same as --help."""
    if man:
        from flowtui.cli.manual import manual

        print(manual(typer.main.get_command(cli).commands), end="")  # type: ignore[attr-defined]
        return
    if command is None:
        # Before `help` was a command, this opened a run of that name.
        with suppress(StoreError):
            opened, run = open_run("help", store)
            if run.name == "help" or run.id == "help":
                opened.close()
                Opening("help", store).carry_out()
    elif command not in COMMANDS:
        near = commands_near(command)
        closest = f"; closest: {', '.join(near)}" if near else ""
        raise WrongUsage(f"there is no command {command!r}{closest}")
    cli([*([] if command is None else [command]), "--help"], prog_name="flow-tui")


_FUNCTIONS: dict[str, Callable[..., None]] = {
    OPEN: opening.open_,
    "demo": opening.demo,
    "list": printing.list_,
    "show": printing.show,
    "metrics": printing.metrics,
    "traces": printing.traces,
    "evals": printing.evals,
    "compare": opening.compare,
    RUN: running.run_,
    "wait": running.wait,
    "export": sharing.export,
    "upload": sharing.upload,
    "edit": care.edit,
    "delete": care.delete,
    "trash": care.trash,
    "import": writing.import_,
    "ingest": writing.ingest,
    "collect": writing.collect,
    "registry": sharing.registry,
    "cache": about.cache,
    "config": about.config,
    "doctor": about.doctor,
    "help": help_,
}
_KINDS = {OPEN: OpenCommand, RUN: RunCommand}
"""Commands that say something of their own where they are misread."""

for _name, _function in _FUNCTIONS.items():
    # What follows the program that is to be run is the program's own.
    _settings = {"allow_interspersed_args": False} if _name == RUN else None
    _kind = _KINDS.get(_name, CompletingCommand)
    cli.command(_name, cls=_kind, context_settings=_settings)(_function)
