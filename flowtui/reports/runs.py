"""Runs as text and as JSON documents, for scripts and pipes.

The documents are described in docs/json.md and stable. Times are ISO 8601 in UTC, numbers in full
precision, NaN and infinities the strings "NaN", "Infinity" and "-Infinity".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rich.cells import cell_len

from flowtui import clock
from flowtui import format as fmt
from flowtui.cell_widths import count_spacing_marks
from flowtui.reports.usage import raise_if_in_part
from flowtui.store import counts as counting
from flowtui.store import models as logged_models
from flowtui.store import params as logged_params
from flowtui.store.errors import DatabaseCorrupt, DatabaseError
from flowtui.store.liveness.standing import Standing
from flowtui.store.lost_records import damage, lost_records
from flowtui.store.metrics.listing import best, problems
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import Counts, Figures, MetricSummary, Model, Param, Point, Run

Document = dict[str, object]


def dumps(document: object) -> str:
    """Return valid JSON in ASCII, whatever numbers and text are in the document."""
    return json.dumps(_finite(document), indent=2, allow_nan=False, default=str)


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def run_document(run: Run, standing: Standing) -> Document:
    """Return what meta.db says of a run, and what is known of the process of an active one."""
    return {
        "id": run.id,
        "name": run.name,
        "status": run.status,
        "activity": standing.activity,
        "created_at": time_text(run.created_at),
        "last_logged_at": time_text(standing.last_logged_at),
        "duration_s": run.duration_s,
        "group": run.group_name,
        "tags": list(run.tags),
        "description": run.description,
        "source": run.source,
        "upload_status": run.upload_status,
    }


def listed_document(run: Run, standing: Standing, figures: Figures) -> Document:
    """Return a run as `flow-tui list --json` prints it."""
    return {
        **run_document(run, standing),
        "params": figures.params,
        "metrics": figures.metrics,
        "problems": [*run.problems, *([figures.problem] if figures.problem else [])],
    }


@dataclass(slots=True)
class RunContents:
    """What is shown of a run, as far as it could be read."""

    params: Sequence[Param] = ()
    summaries: Sequence[MetricSummary] = ()
    models: Sequence[Model] = ()
    counts: Counts = field(default_factory=Counts)
    remarks: Sequence[str] = ()
    """About what no list of the run has in it."""
    unread: list[str] = field(default_factory=list)
    """About what could not be read, and is missing here or may be wrong."""


def run_contents(store: Store, run: OpenRun) -> RunContents:
    """Return what `flow-tui show` prints of a run, each part read for itself."""
    found = RunContents()

    def of_meta() -> None:
        models = store.ask(logged_models.models, run.id)
        found.models = models or ()

    def params() -> None:
        logged = run.ask(logged_params.params)
        found.params = logged or ()

    def metrics() -> None:
        found.summaries = list(run.metrics.summaries({}))

    def counts() -> None:
        found.counts = run.ask(counting.counts)

    def rest() -> None:
        found.remarks = lost_records(store.meta, run)

    def damaged() -> None:
        found.unread += damage(store.meta, run)

    for part in (of_meta, params, metrics, counts, rest, damaged):
        try:
            part()
        except DatabaseError as error:
            if str(error) not in found.unread:
                found.unread.append(str(error))
            # What is missing or busy is so for all that is in it; damage is in one place.
            if part is not of_meta and not isinstance(error, DatabaseCorrupt):
                break
    return found


def whole_document(store: Store, run: OpenRun, found: RunContents) -> Document:
    """Return a run as `flow-tui show --json` prints it; what cannot be read is in `problems`."""
    counts = found.counts
    said = [*run.row.problems]
    said += [f"param {param.key}: {param.problem}" for param in found.params if param.problem]
    said += [problem for summary in found.summaries for problem in problems(summary)]
    said += [f"model {model.id}: {model.problem}" for model in found.models if model.problem]
    said += [*found.remarks, *found.unread]
    return {
        **run_document(run.row, store.standings([run.row], clock.now())[run.id]),
        "params": {param.key: param.value for param in found.params},
        "metrics": {summary.key: _metric(summary) for summary in found.summaries},
        "models": [_model(model) for model in found.models],
        "counts": {
            "traces": counts.traces,
            "spans": counts.spans,
            "samples": counts.samples,
            "attachments": counts.attachments,
            "annotations": counts.annotations,
        },
        "problems": said,
    }


def _metric(summary: MetricSummary) -> Document:
    return {
        "count": summary.count,
        "nan_count": summary.nan_count,
        "inf_count": summary.inf_count,
        "unreadable_count": summary.unreadable_count,
        "first": _point(summary.first),
        "last": _point(summary.last),
        "min": _point(summary.minimum),
        "max": _point(summary.maximum),
        "best": _point(best(summary)),
    }


def _point(point: Point | None) -> Document | None:
    return None if point is None else {"step": point.step, "value": point.value}


def _model(model: Model) -> Document:
    return {
        "id": model.id,
        "name": model.name,
        "created_at": time_text(model.created_at),
        "size_bytes": model.size_bytes,
        "tags": list(model.tags),
        "path": model.path,
        "source": model.source,
        "description": model.description,
    }


def time_text(moment: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC, None for none."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def run_text(store: Store, run: OpenRun, found: RunContents) -> Iterator[str]:
    """Yield a run as lines for a person."""
    row = run.row
    standing = store.standings([row], clock.now())[row.id]
    state = fmt.run_state(row.status, standing)
    yield f"{fmt.plain(row.name, 200)}  {fmt.short_id(run.id)}  {state}"
    facts = [
        ("id", row.id),
        ("group", row.group_name),
        ("created", None if row.created_at is None else fmt.when(row.created_at)),
        ("duration", fmt.elapsed(standing)),
        ("tags", " ".join(row.tags)),
        ("source", row.source),
        ("registry", row.upload_status),
        ("description", row.description),
        *(("problem", problem) for problem in row.problems),
    ]
    yield from (f"{name:<12}{fmt.plain(text, 2_000)}" for name, text in facts if text)
    yield from _params_text(found.params)
    yield from _metrics_text(found.summaries)
    yield from _models_text(found.models)
    yield from _counts_text(found.counts)
    yield from (f"  ▲ {fmt.plain(text, 2_000)}" for text in found.remarks)
    if found.unread:
        yield ""
        yield from (f"problem     {fmt.plain(text, 2_000)}" for text in found.unread)


def _params_text(params: Sequence[Param]) -> Iterator[str]:
    if params:
        yield from ("", "Parameters")
        yield from table(
            [(fmt.plain(param.key, 200), fmt.json_text(param.value)) for param in params]
        )


def _metrics_text(summaries: Sequence[MetricSummary]) -> Iterator[str]:
    if summaries:
        yield from ("", "Metrics")
        yield from metric_lines(summaries)


def metric_lines(summaries: Sequence[MetricSummary], key_head: str = "") -> Iterator[str]:
    """Yield a table of metrics, a line a metric, and what could not be read of them."""
    heads = (key_head, "last", "min", "max", "points", "NaN", "Inf", "broken")
    rows = [heads, *map(_metric_cells, summaries)]
    if not any(summary.unreadable_count for summary in summaries):
        rows = [row[:-1] for row in rows]
    yield from table(rows)
    yield from (f"  ▲ {fmt.plain(text, 2_000)}" for one in summaries for text in problems(one))


def _metric_cells(summary: MetricSummary) -> tuple[str, ...]:
    counts = (summary.nan_count, summary.inf_count, summary.unreadable_count)
    return (
        fmt.plain(summary.key, 200),
        *metric_figures(summary),
        f"{summary.count:,}",
        *(f"{count:,}" if count else "" for count in counts),
    )


def metric_figures(summary: MetricSummary) -> tuple[str, str, str]:
    """Return the last, lowest and highest value of a metric; those that differ read differently."""
    last, low, high = summary.last, summary.minimum, summary.maximum
    if last is None or low is None or high is None:
        return "" if last is None else fmt.number(last.value), "", ""
    texts = fmt.distinct([last.value, low.value, high.value])
    return texts[0], texts[1], texts[2]


def _models_text(models: Sequence[Model]) -> Iterator[str]:
    if models:
        yield from ("", "Logged models")
        yield from table(
            [
                (
                    fmt.plain(model.name, 200),
                    "" if model.size_bytes is None else fmt.size(model.size_bytes),
                    fmt.plain(model.path or "", 500),
                )
                for model in models
            ]
        )


def _counts_text(counts: Counts) -> Iterator[str]:
    known = (
        ("traces", counts.traces),
        ("spans", counts.spans),
        ("eval samples", counts.samples),
        ("attachments", counts.attachments),
        ("annotations", counts.annotations),
    )
    present = [(name, f"{count:,}") for name, count in known if count]
    if present:
        yield from ("", "Records")
        yield from table(present)


def table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield rows of cells as lines with the columns under each other."""
    count_spacing_marks()
    made = [[(cell, cell_len(cell)) for cell in row] for row in rows]
    widths = [max(length for _, length in column) for column in zip(*made, strict=True)]
    for row in made:
        padded = (
            cell + " " * (width - length) for (cell, length), width in zip(row, widths, strict=True)
        )
        yield f"  {'  '.join(padded)}".rstrip()


def print_run(store: Store, run: OpenRun, as_json: bool = False) -> None:
    """Print a run as text, or as one JSON document.

    Raises:
        PrintedInPart: something of it could not be read, which is said where it would stand too.
    """
    found = run_contents(store, run)
    if as_json:
        print(dumps(whole_document(store, run, found)))
    else:
        for line in run_text(store, run, found):
            print(line)
    raise_if_in_part(found.unread)
