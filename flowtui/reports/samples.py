"""The samples of a run's eval sets and what their scores add up to, for scripts and pipes.

The formats are described in docs/json.md and stable. Samples are written page by page as they are
read, so that any number of them takes no more memory; the table for people is put together first.
In CSV, JSON columns are JSON in ASCII, and each score is a column of its own.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO

from flowtui import format as fmt
from flowtui.reports.annotation_cells import annotation_values, listed_annotations
from flowtui.reports.data_output import data_out, write_array
from flowtui.reports.escaped import csv_text
from flowtui.reports.filter_remarks import sorted_field, tell, under
from flowtui.reports.runs import Document, dumps, table, time_text
from flowtui.store.annotations import judgements
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.values import Annotation
from flowtui.store.errors import StoreError
from flowtui.store.open_run import OpenRun
from flowtui.store.samples import keys as sample_keys
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.orders import ALSO_SORTED, FAILING, SORTABLE, SampleOrder
from flowtui.store.samples.score_values import NumberSummary, ScoreSet, ScoreSummary
from flowtui.store.samples.scores import score_sets
from flowtui.store.samples.values import JSON_COLUMNS, Sample
from flowtui.store.values import JsonValue
from flowtui.told_apart import told_apart

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

Format = Literal["text", "csv", "json"]
PAGE_SAMPLES = 200
SCORES_SHOWN = 8
CELL_CHARACTERS = 40
NAME_CELLS = 60
_PRINTED = ("id", "dataset", "annotations", "traces", FAILING)
_BARE = ("scores", "metadata", "inputs", "outputs", "refs")
"""Where a key without a column is looked for, as in filters."""
TEXT_CHARACTERS = 1_000_000
"""How much of an id or a text score CSV holds: more than any person can have meant."""


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """Which samples, and in what order."""

    dataset: str | None = None
    """The id of an eval set; None for all."""
    filter_text: str = ""
    """The filter as on the list's filter line; blank for all."""
    sort: str = ""
    """A column, with a minus before it for descending order; blank for `created`."""
    limit: int | None = None
    """How many samples at most; None for all."""

    def order(self, run: OpenRun) -> SampleOrder:
        """Return the order that `sort` names.

        Raises:
            WrongUsage: There is no such column, or no sample has it.
        """
        column = self.sort.removeprefix("-") or SampleOrder().column
        if column not in SORTABLE:
            from flowtui.store.filters import SAMPLE_FIELDS

            columns = (*SORTABLE, *(f"{name}.KEY" for name in JSON_COLUMNS))

            def remarks(condition: Condition) -> tuple[str, ...]:
                return run.remarks(condition, sample_rows.remarks)

            column = sorted_field(column, SAMPLE_FIELDS, columns, ALSO_SORTED, remarks)
        return SampleOrder(column, self.sort.startswith("-"))

    @property
    def condition(self) -> Condition | None:
        """The condition of the filter, None for all.

        Raises:
            FilterError: The filter is not understood.
        """
        if not self.filter_text.strip():
            return None
        from flowtui.store.filters import sample_condition

        return sample_condition(self.filter_text)


def print_samples(run: OpenRun, wanted: SampleRequest, style: Format = "text") -> None:
    """Print samples as a table, CSV, or a JSON array.

    Raises:
        WrongUsage: There is no such column to sort by.
        FilterError: The filter is not understood.
        StoreError: There is no such eval set.
        DatabaseError: The run's database cannot be read.
    """
    condition, order = wanted.condition, wanted.order(run)
    _require_dataset(run, wanted.dataset)
    tell(run.remarks(condition, sample_rows.remarks))
    keys = run.ask(sample_rows.ordered, wanted.dataset, condition, order)[: wanted.limit]
    samples = _pages(run, keys, whole=style != "text")
    if style == "json":
        write_array((dumps(_listed(sample, notes)) for sample, notes in samples), sys.stdout)
        return
    used = run.ask(sample_keys.keys, wanted.dataset, ("scores",))
    scores = [key.key for key in used]
    if style == "csv":
        said = run.ask(judgements.tallies, annotation_rows.SAMPLES, wanted.dataset)
        _write_csv(samples, scores, [one.field for one in said], data_out())
        return
    shown = (sample for sample, _ in samples)
    for line in samples_text(shown, scores, order.column if wanted.sort else ""):
        print(line)


def print_scores(run: OpenRun, wanted: SampleRequest, as_json: bool = False) -> None:
    """Print what scores add up to, of all eval sets and of each; the order does not matter.

    Raises:
        FilterError: The filter is not understood.
        StoreError: There is no such eval set.
        DatabaseError: The run's database cannot be read.
    """
    condition = wanted.condition
    _require_dataset(run, wanted.dataset)
    tell(run.remarks(condition, sample_rows.remarks))
    sets = run.ask(score_sets, wanted.dataset, condition)
    if as_json:
        print(dumps([score_set_document(found) for found in sets]))
        return
    for line in scores_text(sets):
        print(line)


def sample_document(sample: Sample) -> Document:
    """Return a sample as `flow-tui evals --json` lists it."""
    return {
        "dataset_id": sample.dataset_id,
        "id": sample.id,
        "created_at": time_text(sample.created_at),
        "updated_at": time_text(sample.updated_at),
        **{column: sample.value(column) for column in JSON_COLUMNS},
        "trace_ids": list(sample.trace_ids),
        "annotation_count": sample.annotation_count,
        "problems": list(sample.problems),
    }


def _listed(sample: Sample, annotations: Sequence[Annotation]) -> Document:
    return {**sample_document(sample), "annotations": listed_annotations(annotations)}


def score_set_document(scores: ScoreSet) -> Document:
    """Return an eval set as `flow-tui evals --aggregate --json` lists it."""
    return {
        "dataset_id": scores.dataset,
        "sample_count": scores.sample_count,
        "unreadable_count": scores.unreadable_count,
        "scores": {score.key: _score(score) for score in scores.scores},
    }


def samples_text(
    samples: Iterator[Sample], scores: Sequence[str], sorted_by: str = ""
) -> Iterator[str]:
    """Yield a table of samples, a line a sample, with what they are sorted by and a few scores."""
    shown = scores[:SCORES_SHOWN]
    is_shown = sorted_by in _PRINTED or sorted_by.removeprefix("scores.") in shown
    sorted_by = "" if is_shown else sorted_by
    heads = told_apart([*filter(None, [sorted_by]), *shown], CELL_CHARACTERS)
    rows = [("set", "sample", *heads, "inputs", "outputs", "reference", "traces", "annotations")]
    for sample in samples:
        of = sample.scores if isinstance(sample.scores, dict) else {}
        rows.append(
            (
                fmt.plain(sample.dataset_id, CELL_CHARACTERS),
                fmt.plain(sample.id, CELL_CHARACTERS),
                *([_sorted_cell(sample, sorted_by)] if sorted_by else []),
                *(_cell(of[key]) if key in of else "" for key in shown),
                *(_cell(value) for value in (sample.inputs, sample.outputs, sample.refs)),
                f"{len(sample.trace_ids):,}" if sample.trace_ids else "",
                f"{sample.annotation_count:,}" if sample.annotation_count else "",
            )
        )
    yield from table(rows)
    if len(scores) > len(shown):
        yield f"  and {fmt.count(len(scores) - len(shown), 'more score')}: see --json or --csv"


def _sorted_cell(sample: Sample, sorted_by: str) -> str:
    if sorted_by in ("created", "updated"):
        time = sample.created_at if sorted_by == "created" else sample.updated_at
        return "" if time is None else fmt.when_short(time)
    column, _, key = sorted_by.partition(".")
    if column in JSON_COLUMNS and key:
        return _cell(under(sample.value(column), key))
    found = (under(sample.value(name), sorted_by) for name in _BARE)
    return _cell(next((value for value in found if value is not None), None))


def scores_text(sets: Sequence[ScoreSet]) -> Iterator[str]:
    """Yield, for each eval set, a table with a line a score."""
    for index, scores in enumerate(sets):
        if index:
            yield ""
        name = "all eval sets" if scores.dataset is None else fmt.plain(scores.dataset, 200)
        yield f"{name}  {fmt.count(scores.sample_count, 'sample')}"
        if scores.unreadable_count:
            yield f"  {fmt.count(scores.unreadable_count, 'sample')} with unreadable scores"
        if scores.scores:
            heads = ("score", "type", "samples", "missing", "mean", "pass", "min", "median", "max")
            rows = [(*heads, "spread", "NaN", "Inf", "values")]
            names = told_apart([score.key for score in scores.scores], NAME_CELLS)
            yield from table([*rows, *map(_score_row, scores.scores, names)])


def _score_row(score: ScoreSummary, name: str) -> tuple[str, ...]:
    numbers, texts = score.numbers, score.texts
    common = [] if texts is None else [f"{fmt.plain(text, 20)} {n:,}" for text, n in texts.top[:4]]
    rest = 0 if texts is None else texts.count - sum(count for _, count in texts.top[:4])
    mean, low, median, high = (
        [""] * 4
        if numbers is None
        else fmt.distinct([numbers.mean, numbers.minimum, numbers.median, numbers.maximum])
    )
    return (
        name,
        "+".join(type_.value for type_ in score.types),
        f"{score.count:,}",
        f"{score.missing:,}" if score.missing else "",
        mean,
        "" if score.pass_rate is None else fmt.percent(score.pass_rate, 1).replace(" ", ""),
        low,
        median,
        high,
        "" if numbers is None or numbers.spread is None else fmt.number(numbers.spread),
        f"{score.nan_count:,}" if score.nan_count else "",
        f"{score.inf_count:,}" if score.inf_count else "",
        ", ".join([*common, *([f"others {rest:,}"] if rest else [])]),
    )


def _score(score: ScoreSummary) -> Document:
    texts = score.texts
    return {
        "types": {type_.value: count for type_, count in score.types.items()},
        "count": score.count,
        "missing": score.missing,
        "nan_count": score.nan_count,
        "inf_count": score.inf_count,
        "pass_count": score.pass_count if score.boolean_count else None,
        "pass_rate": score.pass_rate,
        "numbers": None if score.numbers is None else _numbers(score.numbers),
        "texts": None
        if texts is None
        else {
            "count": texts.count,
            "top": [{"text": text, "count": count} for text, count in texts.top],
            "other_count": texts.other_count,
        },
    }


def _numbers(numbers: NumberSummary) -> Document:
    return {
        "count": numbers.count,
        "mean": numbers.mean,
        "min": numbers.minimum,
        "max": numbers.maximum,
        "median": numbers.median,
        "spread": numbers.spread,
        "histogram": list(numbers.histogram),
    }


def _write_csv(
    samples: Iterator[tuple[Sample, Sequence[Annotation]]],
    scores: Sequence[str],
    said: Sequence[str],
    out: TextIO,
) -> None:
    rows = csv.writer(out, lineterminator="\n")
    fixed = ("dataset_id", "id", "created_at", "updated_at", "inputs", "outputs", "refs")
    names = [f"scores.{fmt.plain(key, TEXT_CHARACTERS)}" for key in scores]
    fields = [csv_text(field) for field in said]
    rows.writerow((*fixed, *names, "metadata", "trace_ids", "annotation_count", *fields))
    for sample, notes in samples:
        values = annotation_values(notes)
        of = sample.scores if isinstance(sample.scores, dict) else {}
        rows.writerow(
            (
                fmt.plain(sample.dataset_id, TEXT_CHARACTERS),
                fmt.plain(sample.id, TEXT_CHARACTERS),
                time_text(sample.created_at) or "",
                time_text(sample.updated_at) or "",
                *(_json(value) for value in (sample.inputs, sample.outputs, sample.refs)),
                *(_csv_score(of.get(key)) for key in scores),
                _json(sample.metadata),
                " ".join(fmt.plain(id_, TEXT_CHARACTERS) for id_ in sample.trace_ids),
                sample.annotation_count,
                *(values.get(field, "") for field in said),
            )
        )


def _csv_score(value: JsonValue) -> str:
    if isinstance(value, str):
        return fmt.plain(value, TEXT_CHARACTERS)
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)
    return _json(value)


def _json(value: JsonValue) -> str:
    return "" if value is None else json.dumps(json.loads(dumps(value)))


def _cell(value: JsonValue) -> str:
    """Return a value for a table; of an object with a single value, that value."""
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    if value is None:
        return ""
    return fmt.number(value) if isinstance(value, float) else fmt.json_text(value, CELL_CHARACTERS)


def _pages(
    run: OpenRun, keys: Sequence[int], whole: bool
) -> Iterator[tuple[Sample, Sequence[Annotation]]]:
    """Yield samples; whole ones with their annotations."""
    bounds = sample_rows.WHOLE if whole else sample_rows.LISTED
    for start in range(0, len(keys), PAGE_SAMPLES):
        page = keys[start : start + PAGE_SAMPLES]
        by_key = run.ask(sample_rows.at, page, bounds)
        notes: Mapping[int, Sequence[Annotation]] = {}
        if whole:
            notes = run.ask(annotation_rows.of_rows, annotation_rows.SAMPLES, page)
        yield from ((by_key[key], notes.get(key, ())) for key in page if key in by_key)


def _require_dataset(run: OpenRun, dataset: str | None) -> None:
    if dataset is None:
        return
    known = [found.id for found in run.ask(sample_rows.datasets)]
    if dataset not in known:
        there = f"; there are {', '.join(known)}" if known else ", which has none"
        raise StoreError(f"no eval set {dataset!r} in the run {run.name!r}{there}")
