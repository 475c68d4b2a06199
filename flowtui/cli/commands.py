"""The commands, as typer reads them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import closing, nullcontext, suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from flowtui import __version__, person
from flowtui.cli.completing import (
    CompletingCommand,
    complete_columns,
    complete_filter,
    complete_group,
    complete_metric,
    complete_run,
    complete_sort,
    complete_tab,
    complete_theme,
    complete_trashed,
)
from flowtui.cli.opening import (
    COMMANDS,
    TABS,
    Opening,
    commands_near,
    open_file,
    open_run,
    open_store,
    settings_told,
)
from flowtui.reports.usage import WrongUsage
from flowtui.store.errors import StoreError

OPEN = "open"
RUN = "run"
_TAKE_A_VALUE = {"-s", "--store", "--tab", "--user", "--theme"}
VERSION = "--version"
"""It is the same for every command."""
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


cli = typer.Typer(
    cls=OpenByDefault,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

StoreOption = Annotated[
    str | None,
    typer.Option("--store", "-s", metavar="DIR", help="The store: a folder or sqlite://DIR."),
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
LargeOption = Annotated[
    bool,
    typer.Option("--allow-large", help="Unpack a .luml file even if it is unusually large."),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")]
ThemeOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The colours.", autocompletion=complete_theme),
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
SlowOption = Annotated[
    bool | None,
    typer.Option(
        "--slow/--no-slow",
        help="Fewer colours and calmer updates, for a slow link.",
        show_default=False,
    ),
]


RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="An id, a unique prefix of one, an exact name, `latest`, or a .luml file.",
        autocompletion=complete_run,
        show_default=False,
    ),
]


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


@cli.command(OPEN, cls=OpenCommand)
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


@cli.command()
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


@cli.command("list")
def list_(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[PATH]", help="A .luml file, or runs of another tool.", show_default=False
        ),
    ] = None,
    store: StoreOption = None,
    allow_large: LargeOption = False,
    as_json: JsonOption = False,
    filter_text: FilterOption = "",
    sort: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help="A column, a metric, a parameter or best.METRIC; -COLUMN: descending.",
            autocompletion=complete_sort,
        ),
    ] = "-created",
    limit: LimitOption = None,
    columns: Annotated[
        str,
        typer.Option(
            metavar="A,B,C",
            help="The columns, as --sort takes them.",
            show_default="what matters",
            autocompletion=complete_columns,
        ),
    ] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Print the runs of the store."""
    from flowtui.reports import run_table
    from flowtui.screens.compare.chosen_directions import chosen_directions

    if as_json and as_csv:
        raise WrongUsage("--json and --csv are two formats: give one")
    opened = open_store(store, allow_large) if file is None else open_file(file, store, allow_large)
    opened.settle()
    style: run_table.Style = "json" if as_json else "csv" if as_csv else "text"
    usual = settings_told("columns").columns
    chosen = chosen_directions()
    wanted = run_table.ListRequest(filter_text, sort, limit, columns, usual, style, chosen)
    run_table.print_runs(opened, wanted)


@cli.command()
def show(
    run: RunArgument,
    store: StoreOption = None,
    allow_large: LargeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print a run as text, or as one JSON document."""
    from flowtui.reports import runs as report

    opened, found = open_run(run, store, allow_large)
    report.print_run(opened, found, as_json)


@cli.command()
def metrics(
    run: RunArgument,
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY]...",
            help="Metrics whose points are printed; none: a line a metric.",
            autocompletion=complete_metric,
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
    allow_large: LargeOption = False,
    as_json: JsonOption = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV: key, step, value, logged_at.")
    ] = False,
    points: Annotated[
        int | None,
        typer.Option(
            min=4, max=50_000, metavar="N", help="At most N points a metric, its extremes kept."
        ),
    ] = None,
) -> None:
    """Print the metrics of a run; --json and --csv print their points."""
    from flowtui.reports import series

    if as_json and as_csv:
        raise WrongUsage("--json and --csv are two formats: give one")
    if points is not None and not (keys or as_json or as_csv):
        raise WrongUsage("--points needs points: name a KEY, or give --json or --csv")
    _, found = open_run(run, store, allow_large)
    style: series.Format = "json" if as_json else "csv" if as_csv else "text"
    series.print_metrics(found, keys or (), style, points)


@cli.command()
def traces(
    run: RunArgument,
    trace: Annotated[
        str | None,
        typer.Argument(
            metavar="[TRACE_ID]",
            help="A trace, or a unique prefix of its id, whose spans are printed; none: the list.",
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
    allow_large: LargeOption = False,
    as_json: JsonOption = False,
    filter_text: FilterOption = "",
    sort: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help="A column, or annotations.NAME; -COLUMN: descending.",
            autocompletion=complete_sort,
        ),
    ] = "-start",
    limit: LimitOption = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV, with a column for each annotation's name.")
    ] = False,
) -> None:
    """Print the traces of a run, or the spans of one trace."""
    if as_json and as_csv:
        raise WrongUsage("--json and --csv are two formats: give one")
    if trace is not None and (filter_text or limit is not None or as_csv):
        raise WrongUsage(
            "--filter, --limit and --csv are for the list of traces: leave out TRACE_ID"
        )
    _, found = open_run(run, store, allow_large)
    if trace is not None:
        from flowtui.reports.traces import print_trace

        print_trace(found, trace, as_json)
    else:
        from flowtui.reports import trace_list

        style: trace_list.TraceStyle = "json" if as_json else "csv" if as_csv else "text"
        trace_list.print_traces(found, filter_text, sort, limit, style)


@cli.command()
def evals(
    run: RunArgument,
    store: StoreOption = None,
    allow_large: LargeOption = False,
    dataset: Annotated[
        str | None, typer.Option(metavar="ID", help="One eval set; none: all of them.")
    ] = None,
    as_json: JsonOption = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV, with a column for each score.")
    ] = False,
    aggregate: Annotated[
        bool, typer.Option("--aggregate", help="Print what the scores add up to.")
    ] = False,
    filter_text: FilterOption = "",
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="A column, scores.KEY, metadata.KEY ...; -COLUMN: descending.",
            autocompletion=complete_sort,
            show_default="created",
        ),
    ] = None,
    limit: LimitOption = None,
) -> None:
    """Print the samples of a run's eval sets, or what their scores add up to."""
    from flowtui.reports import samples

    if as_json and as_csv:
        raise WrongUsage("--json and --csv are two formats: give one")
    if aggregate and (as_csv or sort is not None or limit is not None):
        raise WrongUsage("--csv, --sort and --limit are for samples: leave out --aggregate")
    _, found = open_run(run, store, allow_large)
    wanted = samples.SampleRequest(dataset, filter_text, sort or "", limit)
    if aggregate:
        samples.print_scores(found, wanted, as_json)
        return
    style: samples.Format = "json" if as_json else "csv" if as_csv else "text"
    samples.print_samples(found, wanted, style)


@cli.command()
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


class RunCommand(CompletingCommand):
    """Fails as `env` and `timeout` do, also where it is not understood."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except USAGE_ERROR as error:
            from flowtui.launch.request import NOT_STARTED

            error.exit_code = NOT_STARTED
            raise


@cli.command(RUN, cls=RunCommand, context_settings={"allow_interspersed_args": False})
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


@cli.command()
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


@cli.command()
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


@cli.command()
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


@cli.command()
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


@cli.command()
def delete(run: RunArgument, store: StoreOption = None, yes: YesOption = False) -> None:
    """Move a run into the trash of its store, after a question."""
    from flowtui.cli import care

    opened, found = open_run(run, store)
    care.delete(opened, found, yes)


@cli.command()
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


@cli.command("import")
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


@cli.command()
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


@cli.command()
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


@cli.command()
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


@cli.command()
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


@cli.command()
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


@cli.command()
def doctor(store: StoreOption = None) -> None:
    """Say what this terminal, session and store can do, and what to add where something is off."""
    from flowtui.cli.doctor import findings

    has_terminal = any(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr) if stream)
    findings_found = findings(os.environ, store, person.cwd(), person.home(), has_terminal)
    for finding in findings_found:
        print(finding.line)
    if any(finding.is_error for finding in findings_found):
        raise typer.Exit(1)


@cli.command("help")
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


for _registered in cli.registered_commands:
    if _registered.cls is TyperCommand:
        _registered.cls = CompletingCommand
