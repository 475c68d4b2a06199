"""Commands that take care of the runs of a store: they edit, delete and restore them."""

from __future__ import annotations

from typing import Annotated

import typer

from flowtui.cli.commands.options import (
    RunArgument,
    StoreOption,
    YesOption,
)
from flowtui.cli.completing import complete_group, complete_trashed
from flowtui.cli.stores import open_run, open_store
from flowtui.reports.usage import WrongUsage


def edit(
    run: RunArgument,
    store: StoreOption = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Its new name.")] = None,
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Its new description; '' for none.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Add a tag; may be given again.")
    ] = None,
    untag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Take a tag away; may be given again.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="G", help="Move it to a group, made if missing.", autocompletion=complete_group
        ),
    ] = None,
) -> None:
    """Change the name, description, tags or group of a run."""
    from flowtui.cli import care
    from flowtui.store.care.values import RecordEdit

    opened, found = open_run(run, store)
    added, removed = tuple(tag or ()), tuple(untag or ())
    if both := sorted({*added} & {*removed}):
        raise WrongUsage(f"--tag and --untag {both[0]!r}: give one of them")
    wanted = RecordEdit(name, description, added_tags=added, removed_tags=removed, group=group)
    care.edit(opened, found, wanted)


def delete(run: RunArgument, store: StoreOption = None, yes: YesOption = False) -> None:
    """Move a run into the trash of its store, after a question."""
    from flowtui.cli import care

    opened, found = open_run(run, store)
    care.delete(opened, found, yes)


def trash(
    store: StoreOption = None,
    restore: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Put a run back: an id, a prefix of one, or a name.",
            autocompletion=complete_trashed,
        ),
    ] = None,
    empty: Annotated[
        bool, typer.Option("--empty", help="Remove all for good, after a question.")
    ] = False,
    yes: YesOption = False,
) -> None:
    """Print the runs that were deleted and can be restored."""
    from flowtui.cli import care

    if restore is not None and empty:
        raise WrongUsage("--restore and --empty are two wishes: give one")
    opened = open_store(store)
    if restore is not None:
        care.restore(opened, restore)
    elif empty:
        care.empty(opened, yes)
    else:
        care.print_trash(opened)
