"""The command line: reads arguments, opens the store, runs the app or prints."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from flowtui import __version__
from flowtui.store.errors import RunAmbiguous, StoreError

if TYPE_CHECKING:
    from flowtui.store.store import Store
    from flowtui.store.values import Run

TABS = ("overview", "metrics", "traces", "evals", "attachments")
DEMO_RUN = "resnet50-cosine"
OPEN = "open"
_TAKE_A_VALUE = {"-s", "--store", "--tab", "--user", "--theme"}
_ABOUT_THE_PROGRAM = {"--help", "--version", "--install-completion", "--show-completion"}


class OpenByDefault(TyperGroup):
    """Reads `flow-tui RUN` as `flow-tui open RUN`, and options before a command as its own."""

    # typer brings a click of its own, whose Context has no public name.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not (ctx.resilient_parsing and not args):
            args = with_command(args, self.commands)
        return super().parse_args(ctx, args)


def with_command(args: list[str], commands: Mapping[str, object]) -> list[str]:
    """Return arguments that begin with a command: the first word if it is one, else `open`."""
    if not _ABOUT_THE_PROGRAM.isdisjoint(args[:1]):
        return args
    index = 0
    while index < len(args) and args[index].startswith("-") and args[index] != "-":
        if args[index] == "--":
            return [OPEN, *args]
        index += 2 if args[index] in _TAKE_A_VALUE else 1
    if index < len(args) and args[index] in commands:
        return [args[index], *args[:index], *args[index + 1 :]]
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


def _complete_run(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    try:
        known = _open_store(ctx.params.get("store")).identities()
    except StoreError:
        return
    for run_id, name in known:
        yield from (word for word in (run_id, name) if word.startswith(incomplete))


RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="An id, a unique prefix of one, an exact name, or `latest`.",
        autocompletion=_complete_run,
        show_default=False,
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flow-tui {__version__}")
        raise typer.Exit


@cli.callback()
def program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """The record of a machine-learning run, in the terminal: `flow-tui [RUN]`."""


@cli.command(OPEN)
def open_(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="An id, a unique prefix of one, an exact name, or `latest`; none: the list.",
            autocompletion=_complete_run,
        ),
    ] = None,
    store: StoreOption = None,
    tab: Annotated[str, typer.Option(metavar="TAB", help=f"One of {', '.join(TABS)}.")] = TABS[0],
    read_only: Annotated[bool, typer.Option("--read-only", help="Take no annotations.")] = False,
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", envvar="FLOW_TUI_USER", help="Author of annotations."),
    ] = None,
    theme: Annotated[str | None, typer.Option(metavar="NAME", help="The colours.")] = None,
) -> None:
    """Open a run, or the list of runs. The same as without `open`."""
    if tab not in TABS:
        raise typer.BadParameter(f"{tab!r} is none of {', '.join(TABS)}", param_hint="--tab")
    opened = _open_store(store)
    chosen = None if run is None else opened.resolve(run)
    if _is_terminal():
        _run_app(opened, chosen, tab=tab, read_only=read_only, user=user, theme=theme)
    elif chosen is not None:
        _print_run(opened, chosen, as_json=False)
    else:
        _print_runs(opened, filter_text="", sort="-created", limit=None, as_json=False)


@cli.command()
def demo(
    theme: Annotated[str | None, typer.Option(metavar="NAME", help="The colours.")] = None,
    path_only: Annotated[
        bool, typer.Option("--path", help="Only make the store, and print where it is.")
    ] = False,
) -> None:
    """Make the demo store and open it."""
    from datetime import UTC, datetime

    from platformdirs import user_cache_path

    from flowtui.store.demo import make_demo

    directory = user_cache_path("flow-tui") / "demo"
    fresh = directory.with_name(f"demo-{os.getpid()}")
    _remove(fresh)
    make_demo(fresh, datetime.now(UTC))
    _remove(directory)
    fresh.rename(directory)
    if path_only:
        typer.echo(directory)
        return
    opened = _open_store(str(directory))
    chosen = opened.resolve(DEMO_RUN)
    if _is_terminal():
        _run_app(opened, chosen, theme=theme)
    else:
        _print_run(opened, chosen, as_json=False)


@cli.command("list")
def list_(
    store: StoreOption = None,
    as_json: JsonOption = False,
    filter_text: Annotated[
        str, typer.Option("--filter", metavar="EXPR", help="As on the list's filter line.")
    ] = "",
    sort: Annotated[
        str,
        typer.Option(metavar="COLUMN", help="A column, param.KEY or metric.KEY; -COLUMN: down."),
    ] = "-created",
    limit: Annotated[int | None, typer.Option(min=0, metavar="N", help="At most N runs.")] = None,
) -> None:
    """Print the runs of the store."""
    _print_runs(_open_store(store), filter_text, sort, limit, as_json)


@cli.command()
def show(run: RunArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Print a run as text, or as one JSON document."""
    opened = _open_store(store)
    _print_run(opened, opened.resolve(run), as_json)


@cli.command()
def doctor(store: StoreOption = None) -> None:
    """Say what this terminal, session and store can do, and what to add where something is off."""
    from flowtui.doctor import findings

    findings_found = findings(os.environ, store, Path.cwd(), Path.home())
    for finding in findings_found:
        typer.echo(finding.line)
    if any(finding.is_error for finding in findings_found):
        raise typer.Exit(1)


def main() -> NoReturn:
    """Run flow-tui; the entry point."""
    # Collecting garbage while modules load finds none and takes a tenth of the start.
    gc.disable()
    try:
        with _errors_as_one_line():
            cli()
    finally:
        gc.enable()
    sys.exit(0)


@contextmanager
def _errors_as_one_line() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        from flowtui.format import plain

        print(f"flow-tui: {plain(str(error), 2_000)}", file=sys.stderr)
        if isinstance(error, RunAmbiguous):
            for match in error.matches:
                print(f"  {plain(match, 300)}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of a pipe had enough; Python would complain again while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _open_store(option: str | None) -> Store:
    from flowtui.store.location import locate
    from flowtui.store.store import Store

    return Store(locate(option, os.environ, Path.cwd(), Path.home()))


def _is_terminal() -> bool:
    is_dumb = os.environ.get("TERM", "") in ("", "dumb")
    return sys.stdout.isatty() and sys.stdin.isatty() and not is_dumb


def _run_app(store: Store, run: Run | None, **options: Any) -> NoReturn:
    import getpass

    from flowtui import themes
    from flowtui.app import FlowApp, Options

    theme = options.pop("theme", None)
    if theme is not None and theme not in themes.THEMES:
        names = ", ".join(themes.THEMES)
        raise typer.BadParameter(f"{theme!r} is none of {names}", param_hint="--theme")
    user = options.pop("user", None) or getpass.getuser()
    app = FlowApp(store, run, Options(theme=theme, user=user, **options))
    gc.enable()
    gc.freeze()
    try:
        app.run()
    finally:
        store.close()
    sys.exit(app.return_code or 0)


def _print_run(store: Store, run: Run, as_json: bool) -> None:
    from flowtui import report

    if as_json:
        print(report.dumps(report.whole_document(store, run)))
    else:
        for line in report.run_text(store, run):
            print(line)


def _print_runs(
    store: Store, filter_text: str, sort: str, limit: int | None, as_json: bool
) -> None:
    from flowtui import report
    from flowtui.store.runs import SORTABLE, Order

    column = sort.removeprefix("-")
    if column not in SORTABLE and not column.startswith(("param.", "metric.")):
        raise typer.BadParameter(
            f"{column!r} is none of {', '.join(SORTABLE)}, param.KEY, metric.KEY",
            param_hint="--sort",
        )
    condition = None
    if filter_text.strip():
        from flowtui.store.filters import run_condition

        condition = run_condition(filter_text)
    rowids = store.run_order(condition, Order(column, sort.startswith("-")))[:limit]
    by_rowid = store.runs(rowids)
    runs = [by_rowid[rowid] for rowid in rowids if rowid in by_rowid]
    if as_json:
        figures = store.figures([run.id for run in runs])
        print(report.dumps([report.listed_document(run, figures[run.id]) for run in runs]))
    else:
        for line in report.runs_text(runs):
            print(line)


def _remove(directory: Path) -> None:
    import shutil

    if directory.exists():
        shutil.rmtree(directory)
