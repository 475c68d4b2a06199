"""What the header of an Inspect log says of its run, or its beginning while it is being written.

Source: inspect_ai/log/_log.py (EvalSpec, EvalPlan, EvalResults, EvalStats).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from flowtui.sources.inspect_attachments import SampleAttachments
from flowtui.sources.json_values import (
    as_json,
    filled,
    mapping,
    number,
    sequence,
    text,
    when,
)
from flowtui.sources.records import SourceBatch, SourceFile, moment
from flowtui.store.schema.mirror import RunRow
from flowtui.store.schema.rows import MetricRow, ParamValue
from flowtui.store.values import JsonValue, Status

MOST_PARAM_CHARS = 256_000
"""A parameter whose JSON is longer is left out; arguments of a model may hold whole answers."""
_MOST_SAID_CHARS = 200
_STATUS = {
    "started": Status.ACTIVE,
    "success": Status.COMPLETED,
    "error": Status.ERROR,
}
"""Any other, such as `cancelled`, stays as it stands."""
_OF_TASK = (
    "task_version", "task_file", "task_args", "solver", "solver_args", "dataset", "sandbox",
    "model", "model_args", "model_base_url", "model_roles", "model_generate_config", "config",
    "revision", "packages", "scorers", "metadata",
)  # fmt: skip
_TOKENS = (
    "input_tokens", "output_tokens", "total_tokens", "input_tokens_cache_read",
    "input_tokens_cache_write", "reasoning_tokens", "total_cost",
)  # fmt: skip


def row_of(header: Mapping[str, JsonValue], row: RunRow) -> RunRow:
    """Return what the list of runs is to say of a log.

    Args:
        header: Its header, or its beginning.
        row: What is known without it.
    """
    spec, stats = mapping(header.get("eval")), mapping(header.get("stats"))
    task = text(spec.get("task_display_name")) or text(spec.get("task")) or row.group
    status = text(header.get("status")) or "started"
    began = when(stats.get("started_at")) or when(spec.get("created"))
    ended = when(stats.get("completed_at"))
    tags = header.get("tags") if "tags" in header else spec.get("tags")
    return replace(
        row,
        name=" ".join(filter(None, (task, text(spec.get("model"))))),
        group=task,
        status=_STATUS.get(status, status),
        created_at=began or row.created_at,
        duration_s=max((ended - began).total_seconds(), 0.0) if began and ended else None,
        tags=tuple(filter(None, map(text, sequence(tags)))),
        description=text(spec.get("task_description")) or None,
    )


def task_of(header: Mapping[str, JsonValue]) -> str:
    """Return the name of the task, which the samples of all its logs share."""
    return text(mapping(header.get("eval")).get("task")) or "samples"


def take_header(header: Mapping[str, JsonValue], batch: SourceBatch) -> None:
    """Add what a header says of a run to a batch: parameters, metrics, and why it failed."""
    spec, plan = mapping(header.get("eval")), mapping(header.get("plan"))
    # No references are in it; this bounds how deep its values are.
    whole = SampleAttachments(None, batch.left_out)
    said = {name: spec.get(name) for name in _OF_TASK}
    said |= {"metadata": header.get("metadata") or spec.get("metadata")}
    said |= {"plan": plan.get("steps"), "generate_config": plan.get("config")}
    for name, value in filled(said).items():
        if len(as_json(value := whole.resolved(value))) > MOST_PARAM_CHARS:
            batch.left_out[f"parameters of more than {MOST_PARAM_CHARS / 1e3:,.0f} KB"] += 1
        else:
            batch.params[name] = _param(value)
    ended = when(mapping(header.get("stats")).get("completed_at")) or moment(0)
    values = {**dict(_metrics(header)), **_tokens(header)}
    batch.points += [_point(key, value, ended) for key, value in values.items()]
    batch.notes["error"] = ""
    if error := mapping(header.get("error")):
        message, traceback = text(error.get("message")), text(error.get("traceback"))
        batch.files.append(
            SourceFile("error.txt", f"{message}\n\n{traceback}".encode(), created_at=ended)
        )
        if len(message) > _MOST_SAID_CHARS:
            message = f"{message[:_MOST_SAID_CHARS]}… (all of it is in error.txt)"
        batch.notes["error"] = f"it ended with an error: {message}"


def _point(key: str, value: float, at: object) -> MetricRow:
    return key, value, 0, at  # type: ignore[return-value]


def _param(value: JsonValue) -> ParamValue:
    return text(value) if isinstance(value, str) else value


def _metrics(header: Mapping[str, JsonValue]) -> Iterator[tuple[str, float]]:
    """Yield the metrics of all scorers: `scorer/metric`, and `scorer/metric/reducer`.

    The name of a reducer is only there where a scorer was reduced in several ways.
    """
    scores = list(map(mapping, sequence(mapping(header.get("results")).get("scores"))))
    ways = Counter((text(one.get("scorer")), text(one.get("name"))) for one in scores)
    for score in scores:
        scorer, name = text(score.get("scorer")), text(score.get("name"))
        reducer = text(score.get("reducer")) if ways[scorer, name] > 1 else ""
        for key, metric in mapping(score.get("metrics")).items():
            value = number(mapping(metric).get("value"))
            words = (scorer, name if name != scorer else "", text(key), reducer)
            if value is not None:
                yield "/".join(filter(None, words)), value


def _tokens(header: Mapping[str, JsonValue]) -> dict[str, float]:
    """Return the tokens of all models together, and of each where there are several."""
    used = mapping(mapping(header.get("stats")).get("model_usage"))
    total: defaultdict[str, float] = defaultdict(float)
    each: dict[str, float] = {}
    for model, usage in used.items():
        for name in _TOKENS:
            count = number(mapping(usage).get(name))
            if count is not None:
                total[f"usage/{name}"] += count
                each[f"usage/{text(model)}/{name}"] = count
    return {**total, **(each if len(used) > 1 else {})}
