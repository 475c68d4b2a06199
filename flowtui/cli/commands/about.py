"""Commands about the program itself: its cache, its settings and what it can do here."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from flowtui import person
from flowtui.cli.commands.options import (
    JsonOption,
    SlowOption,
    StoreOption,
    ThemeOption,
    UserOption,
)
from flowtui.cli.opening import Opening


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove it.")] = False,
) -> None:
    """Print where what was read of the registry and of other tools is kept, and how much it is."""
    from flowtui import format as fmt
    from flowtui.registry import cache as registry_cache
    from flowtui.sources import places

    if clear:
        registry_cache.clear()
        places.clear()
    for kept in (registry_cache, places):
        print(f"{kept.directory()}  {fmt.size(kept.size_bytes())}")


def config(
    edits: Annotated[
        bool, typer.Option("--edit", help="Open config.toml in your editor; make it if missing.")
    ] = False,
    lists_keys: Annotated[
        bool, typer.Option("--keys", help="Print what keys can be set for, by id.")
    ] = False,
    store: StoreOption = None,
    user: UserOption = None,
    theme: ThemeOption = None,
    is_slow: SlowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the settings in force and where each comes from: option, variable, file, default."""
    from flowtui.cli import config as config_command

    given = Opening(store=store, user=user, theme=theme, is_slow=is_slow).given()
    if edits:
        sys.exit(config_command.edit())
    if lists_keys:
        config_command.print_actions()
        return
    sys.exit(config_command.print_config(given, as_json))


def doctor(store: StoreOption = None) -> None:
    """Say what this terminal, session and store can do, and what to add where something is off."""
    from flowtui.cli.doctor import findings

    has_terminal = any(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr) if stream)
    findings_found = findings(os.environ, store, person.cwd(), person.home(), has_terminal)
    for finding in findings_found:
        print(finding.line)
    if any(finding.is_error for finding in findings_found):
        raise typer.Exit(1)
