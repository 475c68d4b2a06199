"""Commands that pass runs on: as an artifact, and to the registry and from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flowtui.cli.commands.options import (
    JsonOption,
    LargeOption,
    LimitOption,
    RunArgument,
    StoreOption,
    YesOption,
)
from flowtui.cli.completing import complete_run
from flowtui.cli.stores import open_run
from flowtui.reports.usage import WrongUsage


def export(
    run: RunArgument,
    store: StoreOption = None,
    allow_large: LargeOption = False,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="The file, or a folder to write it in."),
    ] = None,
) -> None:
    """Write a run as a .luml artifact."""
    from flowtui.cli.export import export as carry_out

    opened, found = open_run(run, store, allow_large)
    carry_out(opened, found, out)


def upload(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="The run, unless --resume confirms earlier uploads.",
            autocompletion=complete_run,
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
    organization: Annotated[
        str | None, typer.Option(metavar="NAME", help="The organization, by name or id.")
    ] = None,
    orbit: Annotated[
        str | None, typer.Option(metavar="NAME", help="The orbit; none: the only one there is.")
    ] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="NAME", help="A collection that takes experiments.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The artifact's name; none: the run's.")
    ] = None,
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Its description; none: the run's.")
    ] = None,
    tags: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TAG", help="A tag, several times; none: the run's."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The logged model that the run's record goes into."),
    ] = None,
    resumes: Annotated[
        bool,
        typer.Option("--resume", help="Confirm uploads that have all their bytes in the registry."),
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Upload a run to the LUML registry; the key is looked for as `doctor` says."""
    from flowtui.cli import upload as uploading

    if resumes:
        if run is not None:
            raise WrongUsage("--resume confirms what was sent before: leave out RUN")
        uploading.resume()
        return
    if run is None:
        raise WrongUsage("name the RUN to upload, or give --resume")
    opened, found = open_run(run, store)
    if opened.why_read_only:
        artifact = "an artifact is not a run of a store; upload the run from its own store"
        raise WrongUsage(opened.why_not_sent or artifact)
    labels = tuple(tags) if tags else None
    wanted = uploading.UploadRequest(
        organization, orbit, collection, name, description, labels, model, yes, as_json
    )
    uploading.upload(opened, found, wanted)


def registry(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[pull RUN]",
            help="Download a run: luml:ORBIT/COLLECTION/NAME, an id or an address; none: the list.",
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
    organization: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this organization, by name or id.")
    ] = None,
    orbit: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this orbit, by name or id.")
    ] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this collection, by name or id.")
    ] = None,
    search: Annotated[
        str, typer.Option(metavar="TEXT", help="Only runs with this in their names.")
    ] = "",
    sort: Annotated[
        str, typer.Option(metavar="COLUMN", help="created_at, name, size ...; -COLUMN: descending.")
    ] = "-created_at",
    limit: LimitOption = None,
    as_json: JsonOption = False,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Of pull: the file, or a folder for it."),
    ] = None,
    is_for_store: Annotated[
        bool, typer.Option("--into-store", help="Of pull: make it a run of the store.")
    ] = False,
    allow_large: LargeOption = False,
) -> None:
    """Print the runs in the LUML registry, or download one with `pull`."""
    from flowtui.cli import registry as registry_command

    if not words:
        if out is not None or is_for_store:
            raise WrongUsage("-o and --into-store are of pull: flow-tui registry pull RUN")
        wanted = registry_command.RegistryListing(
            organization, orbit, collection, search, sort, limit, as_json
        )
        registry_command.print_listing(wanted, store)
        return
    if words[0] != registry_command.PULL or len(words) != 2:
        raise WrongUsage(f"{' '.join(words)!r} is not `pull RUN`")
    registry_command.pull(words[1], out, store, is_for_store, allow_large)
