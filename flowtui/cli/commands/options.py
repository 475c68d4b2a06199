"""The options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

from flowtui.cli.completing import (
    complete_filter,
    complete_group,
    complete_run,
    complete_tab,
    complete_theme,
)
from flowtui.cli.opening import TABS

RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="An id, a unique prefix of one, an exact name, `latest`, or a .luml file.",
        autocompletion=complete_run,
        show_default=False,
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option("--store", "-s", metavar="DIR", help="The store: a folder or sqlite://DIR."),
]
LargeOption = Annotated[
    bool,
    typer.Option("--allow-large", help="Unpack a .luml file even if it is unusually large."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, in full precision.")]
FilterOption = Annotated[
    str,
    typer.Option(
        "--filter",
        metavar="EXPR",
        help="As on the filter line of the list.",
        autocompletion=complete_filter,
    ),
]
LimitOption = Annotated[int | None, typer.Option(min=0, metavar="N", help="Print at most N.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")]
NewOption = Annotated[
    str | None,
    typer.Option("--new", metavar="NAME", help="Make a run of that name and write into it."),
]
GroupOption = Annotated[
    str | None,
    typer.Option(
        "--group", metavar="G", help="The group of a new run.", autocompletion=complete_group
    ),
]
TabOption = Annotated[
    str,
    typer.Option(metavar="TAB", help=f"One of {', '.join(TABS)}.", autocompletion=complete_tab),
]
ReadOnlyOption = Annotated[
    bool, typer.Option("--read-only", help="Annotate, edit, delete and upload nothing.")
]
UserOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Author of annotations; else FLOW_TUI_USER."),
]
ThemeOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The colours.", autocompletion=complete_theme),
]
SlowOption = Annotated[
    bool | None,
    typer.Option(
        "--slow/--no-slow",
        help="Fewer colours and calmer updates, for a slow link.",
        show_default=False,
    ),
]
