"""One joined sample as sections of a document: its scores in each run, the input, the outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flowtui import format as fmt
from flowtui.reports.comparison.fact_texts import only_words
from flowtui.reports.comparison.sample_texts import (
    score_delta,
    score_outcome,
    short_score,
    signed,
)
from flowtui.store.compare.sample_page import ComparedSample
from flowtui.store.compare.score_pairs import HigherIsBetter, Outcome
from flowtui.store.equality import is_equal
from flowtui.store.samples.values import Sample
from flowtui.store.values import JsonValue
from flowtui.widgets.compare import letter_role
from flowtui.widgets.documents.blocks import (
    Block,
    Fact,
    Facts,
    Link,
    Section,
    Text,
    Turn,
    Values,
)
from flowtui.widgets.documents.bounded_blocks import bounded_sections
from flowtui.widgets.documents.differences import key_diff
from flowtui.widgets.documents.sample_differences import marked_pieces
from flowtui.widgets.documents.sample_sections import (
    column_blocks,
    reasons_for,
    reasons_for_all,
)
from flowtui.widgets.lists.compared_cells import OUTCOME_ROLES

SHOWN_PATHS = 50
"""How many paths that differ are shown of two outputs."""
VALUE_CHARS = 200
_URGENCY = (Outcome.REGRESSED, Outcome.CHANGED, Outcome.ONLY_BASELINE, Outcome.ONLY_CANDIDATE,
            Outcome.IMPROVED, Outcome.SAME)  # fmt: skip
_OUTCOME_WORDS = {
    Outcome.REGRESSED: "worse",
    Outcome.IMPROVED: "better",
    Outcome.CHANGED: "changed",
}


@dataclass(frozen=True, slots=True)
class LetteredRun:
    """A run of the comparison, as its outputs are headed."""

    letter: str
    name: str


@dataclass(frozen=True, slots=True)
class ComparedTrace:
    """The target of a link to the trace of a sample in one run."""

    letter: str
    trace_id: str


def compared_sections(
    sample: ComparedSample,
    runs: Sequence[LetteredRun],
    higher: HigherIsBetter,
    problems: Mapping[str, Exception],
) -> tuple[Section, ...]:
    """Return the sections of a joined sample, without empty ones.

    The outputs stand side by side if the document is wide enough; each is compared with the
    baseline's.

    Args:
        sample: The sample in all runs.
        runs: The runs, the baseline first.
        higher: Says what is better.
        problems: By letter, why a run cannot be read.
    """
    sections = (
        _head(sample, runs, problems),
        _scores(sample, runs, higher),
        Section("said", "", tuple(_once(sample, runs, "inputs", "Input"))),
        _outputs(sample, runs),
        _reference(sample, runs),
        *_metadata(sample, runs),
        _traces(sample, runs),
    )
    return bounded_sections([section for section in sections if section is not None])


def _present(
    sample: ComparedSample, runs: Sequence[LetteredRun]
) -> Iterator[tuple[LetteredRun, Sample]]:
    for run, of_run in zip(runs, sample.samples, strict=True):
        if of_run is not None:
            yield run, of_run


def _head(
    sample: ComparedSample, runs: Sequence[LetteredRun], problems: Mapping[str, Exception]
) -> Section:
    id_ = sample.key[1]
    absent = [
        run.letter
        for run, of in zip(runs, sample.samples, strict=True)
        if of is None and run.letter not in problems
    ]
    ids = [f"{run.letter} {of.id}" for run, of in _present(sample, runs) if of.id != id_]
    blocks: list[Block] = [Text(id_ or "a sample without an id", "title")]
    if ids:
        blocks.append(Text(f"joined on its input; in {', in '.join(ids)}", "muted"))
    if absent:
        having = "".join(run.letter for run, _ in _present(sample, runs))
        # Of a run that cannot be read nobody knows whether it has the sample.
        are_known = having and not problems
        words = only_words(having, "".join(absent)) if are_known else f"not in {', '.join(absent)}"
        blocks.append(Text(f"▲ {words}", "attention"))
    blocks += [Text(f"✗ {letter}: {why}", "error") for letter, why in problems.items()]
    for run, of in _present(sample, runs):
        blocks += [Text(f"▲ {run.letter}: {problem}", "attention") for problem in of.problems]
    return Section("head", "", tuple(blocks))


# Scores --------------------------------------------------------------------------------------


def _scores(
    sample: ComparedSample, runs: Sequence[LetteredRun], higher: HigherIsBetter
) -> Section | None:
    told: set[str] = set()
    reasons: dict[str, list[str]] = {}
    about_all: list[str] = []
    names: dict[str, None] = {}
    for run, of in _present(sample, runs):
        scores = of.scores if isinstance(of.scores, dict) else {}
        metadata = of.metadata if isinstance(of.metadata, dict) else {}
        names.update(dict.fromkeys(scores))
        for name in scores:
            for key, text in reasons_for(name, {**metadata, **scores}):
                told.add(key)
                reasons.setdefault(name, []).append(f"{run.letter}  {text}")
        about_all += [f"{run.letter}  {text}" for _, text in reasons_for_all(metadata)]
    shown = [name for name in names if name not in told]
    if not shown and not about_all:
        return None
    facts: list[Fact] = []
    for name in sorted(shown, key=lambda name: _urgency(sample, name, higher)):
        facts.append(_score(sample, runs, name, higher))
        facts += [Fact("", text, "muted") for text in reasons.get(name, ())]
    facts += [Fact("reason", text, "muted") for text in about_all]
    return Section("scores", "Scores", (Facts(tuple(facts)),), f"{len(shown):,}")


def _outcomes(sample: ComparedSample, name: str, higher: HigherIsBetter) -> list[Outcome]:
    one, *others = sample.samples
    found = (score_outcome(one, other, name, higher) for other in others)
    return [what for what in found if what is not None]


def _urgency(sample: ComparedSample, name: str, higher: HigherIsBetter) -> int:
    return min(map(_URGENCY.index, _outcomes(sample, name, higher)), default=len(_URGENCY))


def _score(
    sample: ComparedSample, runs: Sequence[LetteredRun], name: str, higher: HigherIsBetter
) -> Fact:
    """Return a score in all runs: `✓ → ✗ worse`, or with letters where there are more than two."""
    one, *others = sample.samples
    found = _outcomes(sample, name, higher)
    worst = min(found, key=_URGENCY.index, default=Outcome.SAME)
    parts: list[str] = []
    if len(others) > 1:
        parts.append(f"A {short_score(one, name)}")
    for run, other in zip(runs[1:], others, strict=True):
        before, after = short_score(one, name), short_score(other, name)
        what = score_outcome(one, other, name, higher)
        word = "" if what is None else _OUTCOME_WORDS.get(what, "")
        lead = f"{run.letter} {after}"
        if len(others) == 1:
            lead = after if what is Outcome.SAME and before == after else f"{before} → {after}"
        delta = score_delta(one, other, name)
        apart = signed(delta) if delta else ""
        parts.append(" ".join(part for part in (lead, apart, word) if part))
    return Fact(name, "    ".join(parts), OUTCOME_ROLES[worst])


# What was said -------------------------------------------------------------------------------


def _once(
    sample: ComparedSample, runs: Sequence[LetteredRun], column: str, title: str
) -> Iterator[Block]:
    """Yield a column once; runs in which it is another have theirs under it."""
    first: Sample | None = None
    for run, of in _present(sample, runs):
        if first is None:
            first = of
            if column == "inputs" or (of.value(column) is not None and of.value(column) != {}):
                yield Turn(title, tuple(column_blocks(of, column)), is_apart=True)
        elif not is_equal(first.value(column), of.value(column)):
            name = f"{title} in {run.letter}"
            yield Turn(name, tuple(column_blocks(of, column)), note="differs", is_apart=True)


def _outputs(sample: ComparedSample, runs: Sequence[LetteredRun]) -> Section:
    one = sample.samples[0]
    turns = [_output(run, of, one) for run, of in _present(sample, runs)]
    return Section("outputs", "", (Turn("", tuple(turns), are_beside=True),))


def _reference(sample: ComparedSample, runs: Sequence[LetteredRun]) -> Section | None:
    blocks = tuple(_once(sample, runs, "refs", "Reference"))
    return Section("reference", "", blocks) if blocks else None


def _output(run: LetteredRun, of: Sample, baseline: Sample | None) -> Turn:
    name = f"{run.letter} {fmt.plain(run.name, 60)}"
    role = letter_role(run.letter)
    whole = tuple(column_blocks(of, "outputs"))
    if of is baseline or baseline is None:
        return Turn(name, whole, role, is_apart=True)
    before, after = _answers(baseline.outputs, of.outputs)
    if is_equal(before, after):
        return Turn(name, whole, role, note="= A", is_apart=True)
    if isinstance(before, str) and isinstance(after, str):
        pieces = marked_pieces(after, before)
        text = Text("".join(piece.text for piece in pieces), pieces=pieces)
        return Turn(name, (text,), role, note="[-only in A-] {+only here+}", is_apart=True)
    return Turn(name, (*whole, *_paths(after, before)), role, note="≠ A", is_apart=True)


def _answers(before: JsonValue, after: JsonValue) -> tuple[JsonValue, JsonValue]:
    """Return two outputs; if both are objects with one value under the same key, these values."""
    if not isinstance(before, dict) or not isinstance(after, dict) or len(before) != 1:
        return before, after
    if before.keys() == after.keys():
        return next(iter(before.values())), next(iter(after.values()))
    return before, after


def _paths(after: JsonValue, before: JsonValue) -> Iterator[Block]:
    """Yield the paths under which two values differ, with both values."""
    differing = [row for row in key_diff(after, before) if not row.is_same]
    facts: list[Fact] = []
    for row in differing[:SHOWN_PATHS]:
        old = fmt.json_text(row.reference, VALUE_CHARS) if row.in_reference else "absent"
        new = fmt.json_text(row.output, VALUE_CHARS) if row.in_output else "absent"
        facts.append(Fact(f"≠ {row.path or 'value'}", f"{old} → {new}", "attention"))
    yield Facts(tuple(facts))
    if len(differing) > SHOWN_PATHS:
        more = fmt.count(len(differing) - SHOWN_PATHS, "more path differs", "more paths differ")
        yield Text(f"… {more}", "muted")


# The rest ------------------------------------------------------------------------------------


def _metadata(sample: ComparedSample, runs: Sequence[LetteredRun]) -> Iterator[Section]:
    for run, of in _present(sample, runs):
        if of.metadata is None or of.metadata == {}:
            continue
        values = of.metadata if isinstance(of.metadata, dict) else {"metadata": of.metadata}
        yield Section(
            f"metadata {run.letter}",
            f"Metadata of {run.letter}",
            (Values(f"metadata {run.letter}", values),),
            f"{len(values):,}",
            is_folded=True,
        )


def _traces(sample: ComparedSample, runs: Sequence[LetteredRun]) -> Section | None:
    links = [
        Link(f"{run.letter}  trace {trace_id}", ComparedTrace(run.letter, trace_id))
        for run, of in _present(sample, runs)
        for trace_id in of.trace_ids
    ]
    return Section("traces", "Traces", tuple(links), f"{len(links):,}") if links else None
