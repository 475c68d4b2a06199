"""Commands that open the app: on a run, on the demo store, on a comparison."""

from __future__ import annotations

from typing import Annotated

import typer

from flowtui import person
from flowtui.cli.commands.options import (
    JsonOption,
    LargeOption,
    ReadOnlyOption,
    SlowOption,
    StoreOption,
    TabOption,
    ThemeOption,
    UserOption,
    YesOption,
)
from flowtui.cli.completing import complete_run
from flowtui.cli.opening import TABS, Opening


def open_(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="An id or a prefix of one, a name, `latest`, a .luml file; none: the list.",
            autocompletion=complete_run,
        ),
    ] = None,
    store: StoreOption = None,
    allow_large: LargeOption = False,
    tab: TabOption = TABS[0],
    read_only: ReadOnlyOption = False,
    user: UserOption = None,
    theme: ThemeOption = None,
    is_slow: SlowOption = None,
) -> None:
    """Open a run, or the list of runs. The same as without `open`."""
    Opening(run, store, tab, read_only, user, theme, is_slow, allow_large).carry_out()


def demo(
    theme: ThemeOption = None,
    path_only: Annotated[
        bool, typer.Option("--path", help="Only make the store, and print where it is.")
    ] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Make it anew, without its annotations.")
    ] = False,
    yes: YesOption = False,
) -> None:
    """Open the demo store, which is made the first time and kept."""
    from flowtui.cli.demo import DEMO_RUN, demo_store

    directory = demo_store(person.folder("cache"), reset, yes)
    if path_only:
        print(directory)
        return
    Opening(DEMO_RUN, str(directory), theme=theme).carry_out()


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN RUN...",
            help="Two to eight runs, the baseline first; also DIR::RUN and .luml files.",
            autocompletion=complete_run,
            show_default=False,
        ),
    ],
    store: StoreOption = None,
    allow_large: LargeOption = False,
    as_json: JsonOption = False,
    shows_all: Annotated[bool, typer.Option("--all", help="Print what is equal, too.")] = False,
    regressions: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on-regression",
            metavar="NAME",
            help="Exit with 3 if this score or metric is worse; may be given several times.",
        ),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(metavar="X", help="By how much it may be worse.")
    ] = 0.0,
    better: Annotated[
        str | None,
        typer.Option(metavar="higher|lower", help="Which is better, if the name does not say."),
    ] = None,
    allows_active: Annotated[
        bool, typer.Option("--allow-active", help="Judge runs that are active or failed, too.")
    ] = False,
    tab: TabOption = TABS[0],
    read_only: ReadOnlyOption = False,
    user: UserOption = None,
    theme: ThemeOption = None,
    is_slow: SlowOption = None,
) -> None:
    """Show what changed between runs; without a terminal print it."""
    from flowtui.cli import compare as comparing

    opening = Opening(None, store, tab, read_only, user, theme, is_slow, allow_large)
    gate = comparing.Gate(tuple(regressions or ()), tolerance, better, allows_active)
    comparing.compare(runs, opening, gate, as_json=as_json, shows_all=shows_all)
