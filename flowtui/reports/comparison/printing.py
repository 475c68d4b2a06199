"""A comparison of runs as text, or as one JSON document, for scripts and pipes.

The document is described in docs/json.md and stable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from flowtui import clock
from flowtui import format as fmt
from flowtui.reports.comparison import facts as fact_report
from flowtui.reports.comparison import samples as sample_report
from flowtui.reports.comparison import spans as span_report
from flowtui.reports.runs import Document, dumps, run_document
from flowtui.reports.usage import raise_if_in_part
from flowtui.store.compare.directions import Direction, direction
from flowtui.store.compare.fact_reading import read_all
from flowtui.store.compare.facts import FactTable, fact_table
from flowtui.store.compare.run_set import ComparedRun, RunSet
from flowtui.store.compare.samples import ComparedSamples, SampleReader, compared
from flowtui.store.compare.spans import SpanTotals, span_totals
from flowtui.store.errors import StoreError

T = TypeVar("T")


class ComparedContents:
    """What is printed of a comparison, as far as it could be read."""

    def __init__(self, runs: RunSet) -> None:
        """Read it all.

        Raises:
            ReadCancelled: Nobody waits any more.
        """
        self.runs = runs
        self.facts: FactTable = fact_table(read_all(runs))
        reader = SampleReader(runs)
        read = reader.read()
        self.samples: list[ComparedSamples] = [
            _with_inputs(reader, compared(runs, read.samples, run.letter, _is_higher_better))
            for run in runs.candidates
            # What one of the two could not be read of is not missing from it.
            if not read.problems.keys() & {runs.baseline.letter, run.letter}
        ]
        totals = runs.asked(_span_totals)
        self.spans: list[Mapping[str, SpanTotals]] = [
            {} if isinstance(one, StoreError) else one for one in totals
        ]
        unread = [
            f"{run.letter} cannot be read: {one}"
            for run, one in zip(runs.runs, totals, strict=True)
            if isinstance(one, StoreError)
        ]
        unread += [f"{letter} cannot be read: {one}" for letter, one in read.problems.items()]
        self.unread = list(dict.fromkeys((*self.facts.problems, *unread)))


def _with_inputs(reader: SampleReader, of: ComparedSamples) -> ComparedSamples:
    try:
        return replace(of, differing_inputs=reader.differing_inputs(of.samples, of.candidate))
    except StoreError:
        # The run was read a moment ago; what became of it is for the next look to say.
        return of


def _span_totals(of: ComparedRun) -> Mapping[str, SpanTotals]:
    return of.run.ask(span_totals)


def _is_higher_better(name: str, is_pass_fail: bool) -> bool | None:
    found = direction(name, is_pass_fail=is_pass_fail)
    return None if found is None else found is Direction.HIGHER


def print_comparison(runs: RunSet, *, as_json: bool, shows_all: bool) -> None:
    """Print a comparison as text, or as one JSON document.

    Raises:
        PrintedInPart: A run could not be read, which is said where it would stand too.
    """
    found = ComparedContents(runs)
    if as_json:
        print(dumps(document(found)))
    else:
        for line in text_lines(found, shows_all=shows_all):
            print(line)
    raise_if_in_part(found.unread)


def document(found: ComparedContents) -> Document:
    """Return a comparison as `flow-tui compare --json` prints it."""
    now = clock.now()
    return {
        "runs": [
            {
                "letter": of.letter,
                "store": str(of.store.directory),
                **run_document(of.run.row, of.store.standings([of.run.row], now)[of.run.id]),
            }
            for of in found.runs.runs
        ],
        "counts": fact_report.counts_document(found.facts),
        "facts": fact_report.fact_documents(found.facts.rows),
        "samples": [sample_report.joined_counts(of) for of in found.samples],
        "scores": sample_report.score_documents(found.samples),
        "spans": span_report.span_documents(found.spans),
        "unread": found.unread,
    }


def text_lines(found: ComparedContents, *, shows_all: bool) -> Iterator[str]:
    """Yield a comparison as lines for a person: what differs, or with `shows_all` all of it."""
    for of in found.runs.runs:
        baseline = "  (baseline)" if of is found.runs.baseline else ""
        name, where = fmt.plain(of.run.name, 100), fmt.plain(str(of.store.directory), 200)
        yield f"{of.letter}  {name}  {fmt.short_id(of.run.id)}  {where}{baseline}"
    yield ""
    yield from fact_report.text_lines(found.facts, len(found.runs.runs), shows_all)
    yield from _after_a_blank(sample_report.text_lines, found.samples)
    if any(found.spans):
        yield from _after_a_blank(span_report.text_lines, found.spans)


def _after_a_blank(lines: Callable[[T], Iterator[str]], of: T) -> Iterator[str]:
    made = list(lines(of))
    yield from ("", *made) if made else ()
