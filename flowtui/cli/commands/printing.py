"""Commands that print the record: runs, metrics, traces and samples."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from flowtui.cli.commands.options import (
    FilterOption,
    JsonOption,
    LargeOption,
    LimitOption,
    RunArgument,
    StoreOption,
)
from flowtui.cli.completing import complete_columns, complete_metric, complete_sort
from flowtui.cli.stores import open_file, open_run, open_store
from flowtui.cli.telling import settings_told
from flowtui.reports.usage import WrongUsage


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

    style = _style(as_json, as_csv)
    opened = open_store(store, allow_large) if file is None else open_file(file, store, allow_large)
    opened.settle()
    usual = settings_told("columns").columns
    chosen = chosen_directions()
    wanted = run_table.ListRequest(filter_text, sort, limit, columns, usual, style, chosen)
    run_table.print_runs(opened, wanted)


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

    style = _style(as_json, as_csv)
    if points is not None and not (keys or as_json or as_csv):
        raise WrongUsage("--points needs points: name a KEY, or give --json or --csv")
    _, found = open_run(run, store, allow_large)
    series.print_metrics(found, keys or (), style, points)


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
    style = _style(as_json, as_csv)
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

        trace_list.print_traces(found, filter_text, sort, limit, style)


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

    style = _style(as_json, as_csv)
    if aggregate and (as_csv or sort is not None or limit is not None):
        raise WrongUsage("--csv, --sort and --limit are for samples: leave out --aggregate")
    _, found = open_run(run, store, allow_large)
    wanted = samples.SampleRequest(dataset, filter_text, sort or "", limit)
    if aggregate:
        samples.print_scores(found, wanted, as_json)
        return
    samples.print_samples(found, wanted, style)


def _style(as_json: bool, as_csv: bool) -> Literal["text", "csv", "json"]:
    """Return the format that is wanted.

    Raises:
        WrongUsage: Two are.
    """
    if as_json and as_csv:
        raise WrongUsage("--json and --csv are two formats: give one")
    return "json" if as_json else "csv" if as_csv else "text"
