"""How a command line is read: which command is meant, and what is said where it is misread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

from flowtui.cli.completing import CompletingCommand
from flowtui.cli.opening import commands_near

OPEN = "open"
RUN = "run"
VERSION = "--version"
"""It is the same for every command."""
_TAKE_A_VALUE = {"-s", "--store", "--tab", "--user", "--theme"}
_ABOUT_THE_PROGRAM = {"-h", "--help", VERSION, "--install-completion", "--show-completion"}

# Typer exports usage errors of one kind only.
USAGE_ERROR: Any = typer.BadParameter.__base__


class OpenByDefault(TyperGroup):
    """Reads `flow-tui RUN` as `flow-tui open RUN`, and options before a command as its own."""

    # typer brings a click of its own, whose Context has no public name.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not (ctx.resilient_parsing and not args):
            args = with_command(args, self.commands)
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Return the commands and the runs that the first word may become."""
        runs = next(param for param in self.commands[OPEN].params if param.name == "run")
        return [
            *super().shell_complete(ctx, incomplete),
            *runs.shell_complete(ctx, incomplete),
        ]


class OpenCommand(CompletingCommand):
    """Says which command may be meant by the word that stands in the place of a run."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = [arg for arg in args if not arg.startswith("-")]
        try:
            return super().parse_args(ctx, args)
        except USAGE_ERROR as error:
            if words and (near := commands_near(words[0])):
                error.message += (
                    f". Is {words[0]!r} meant for a command? Closest: {', '.join(near)}"
                )
            raise


class RunCommand(CompletingCommand):
    """Fails as `env` and `timeout` do, also where it is not understood."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except USAGE_ERROR as error:
            from flowtui.launch.request import NOT_STARTED

            error.exit_code = NOT_STARTED
            raise


def with_command(args: list[str], commands: Mapping[str, object]) -> list[str]:
    """Return arguments that begin with a command: the first word if it is one, else `open`."""
    if not _ABOUT_THE_PROGRAM.isdisjoint(args[:1]):
        return args
    index = 0
    while index < len(args) and args[index].startswith("-") and args[index] not in ("-", "--"):
        index += 2 if args[index] in _TAKE_A_VALUE else 1
    word = args[index] if index < len(args) else ""
    # What follows the program that is to be run is the program's own.
    options = args[:index] if word == RUN else args[: [*args, "--"].index("--")]
    if VERSION in options:
        return [VERSION]
    if word in commands:
        return [word, *args[:index], *args[index + 1 :]]
    return [OPEN, *args]
