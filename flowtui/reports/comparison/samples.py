"""The scores and the joined samples of a comparison as text, Markdown, CSV and JSON.

Samples are written page by page as they are read, so that any number of them takes no more memory.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from flowtui import format as fmt
from flowtui.reports.comparison.fact_texts import csv_value_text
from flowtui.reports.comparison.sample_texts import (
    delta_text,
    mean_text,
    same_text,
    score_delta,
    score_of,
    score_outcome,
    set_text,
    short_score,
    words_of_test,
)
from flowtui.reports.escaped import csv_text, json_line, markdown_head, markdown_row, markdown_text
from flowtui.reports.runs import Document, table
from flowtui.reports.samples import sample_document
from flowtui.reports.saving import write_atomically
from flowtui.store import cancelling
from flowtui.store.compare.run_set import RunSet
from flowtui.store.compare.sample_page import ComparedSample, page
from flowtui.store.compare.sample_views import listed
from flowtui.store.compare.samples import ComparedSamples
from flowtui.store.compare.score_pairs import ComparedScore, HigherIsBetter, Outcome, ScoreKind
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.values import Sample
from flowtui.store.values import JsonValue

IDS_SHOWN = 20
"""How many samples that got worse are named, the worst first."""
PAGE_SAMPLES = 200
"""How many samples are read at a time."""
_TEXTS = ("inputs", "outputs")
Progress = Callable[[int, int], None]
_KINDS = {ScoreKind.PASS_FAIL: "pass-fail", ScoreKind.NUMBERS: "numbers", ScoreKind.OTHER: "other"}
_OUTCOMES = {
    Outcome.REGRESSED: "regressed",
    Outcome.IMPROVED: "improved",
    Outcome.SAME: "same",
    Outcome.CHANGED: "changed",
    Outcome.ONLY_BASELINE: "only_baseline",
    Outcome.ONLY_CANDIDATE: "only_candidate",
}


# Scores --------------------------------------------------------------------------------------


def score_document(score: ComparedScore) -> Document:
    """Return a score of a set as a value for JSON."""
    test = score.test
    return {
        "dataset": score.dataset,
        "name": score.name,
        "kind": _KINDS[score.kind],
        "higher_is_better": score.higher,
        "baseline": score.baseline,
        "candidate": score.candidate,
        "delta": score.delta,
        "compared": score.compared,
        **{name: score.outcomes[one] for one, name in _OUTCOMES.items()},
        "both_pass": score.both_pass,
        "both_fail": score.both_fail,
        "same_otherwise": score.same_otherwise,
        "missing": score.lost,
        "became_nan": score.became_nan,
        "retyped": score.retyped,
        "infinite": score.infinite,
        "mixed": score.mixed,
        "joined_samples": score.joined_count,
        "baseline_samples": score.baseline_count,
        "candidate_samples": score.candidate_count,
        "p": None if test is None else test.p,
        "test": None if test is None else test.words,
    }


def score_documents(candidates: Sequence[ComparedSamples]) -> list[Document]:
    """Return the scores of candidates, each with the candidate's letter."""
    return [
        {"letter": of.letter, **score_document(score)} for of in candidates for score in of.scores
    ]


def joined_counts(of: ComparedSamples) -> Document:
    """Return how many samples the baseline and a candidate have, as a value for JSON."""
    samples, differing = of.samples, of.differing_inputs
    return {
        "letter": of.letter,
        "joined": samples.shared(of.candidate),
        "baseline": samples.sample_count(0),
        "candidate": samples.sample_count(of.candidate),
        "differing_inputs": None if differing is None else len(differing),
    }


def text_lines(candidates: Sequence[ComparedSamples]) -> Iterator[str]:
    """Yield the scores of candidates as lines for a person, with the samples that got worse."""
    for at, of in enumerate(candidate for candidate in candidates if candidate.scores):
        if at:
            yield ""
        heads = ["set", "score", "A", of.letter, "delta", "worse", "better", "same"]
        heads += ["only A", f"only {of.letter}", ""]
        yield from table([heads, *map(_score_row, of.scores)])
        if of.differing_inputs:
            shared = of.samples.shared(of.candidate)
            yield f"inputs of {len(of.differing_inputs):,} of {shared:,} joined samples differ"
        if of.tested_count:
            yield f"{fmt.count(of.tested_count, 'score')} tested"
        yield from _worse_line(of)


def _worse_line(of: ComparedSamples) -> Iterator[str]:
    worse = of.outcomes.worse
    count = of.outcomes.regressed_count()
    if count:
        numbers = listed(of.samples, of.candidate, of.outcomes, of.pairs)
        ids = [fmt.plain(of.samples.key(number)[1], 60) for number in numbers[:IDS_SHOWN]
               if worse[number] > 0]  # fmt: skip
        more = f" and {count - len(ids):,} more" if count > len(ids) else ""
        yield f"worse in {of.letter}: {', '.join(ids)}{more}"


def _score_row(score: ComparedScore) -> list[str]:
    return [
        set_text(score),
        fmt.plain(score.name, 60),
        mean_text(score, score.baseline),
        mean_text(score, score.candidate),
        delta_text(score),
        *_counts(score),
        words_of_test(score),
    ]


def _counts(score: ComparedScore) -> list[str]:
    outcomes = score.outcomes
    return [
        f"{outcomes[Outcome.REGRESSED]:,}",
        f"{outcomes[Outcome.IMPROVED]:,}",
        same_text(score),
        f"{outcomes[Outcome.ONLY_BASELINE]:,}",
        f"{outcomes[Outcome.ONLY_CANDIDATE]:,}",
    ]


def score_markdown(of: ComparedSamples) -> Iterator[str]:
    """Yield the scores of a candidate as a table of Markdown."""
    heads = ["set", "score", "A", of.letter, "Δ", "worse", "better", "same"]
    yield markdown_head([*heads, "only A", f"only {of.letter}", "test"])
    for score in of.scores:
        yield markdown_row([markdown_text(cell) for cell in _score_row(score)])


def save_scores(of: ComparedSamples, format_key: str, path: Path) -> str:
    """Write the table of scores to a file, and return what was written where, in words.

    Raises:
        SaveFailed: The file cannot be written.
    """

    def write(out: TextIO) -> None:
        documents = [score_document(one) for one in of.scores]
        if format_key == "markdown":
            out.writelines(score_markdown(of))
        elif format_key == "jsonl":
            out.writelines(f"{json_line(one)}\n" for one in documents)
        elif documents:
            written = csv.writer(out, lineterminator="\n")
            written.writerow(documents[0])
            written.writerows([_csv(value) for value in one.values()] for one in documents)

    write_atomically(path, write)
    return f"{fmt.count(len(of.scores), 'score')} to {fmt.plain(str(path), 200)}"


# Samples -------------------------------------------------------------------------------------


def compared_document(letters: Sequence[str], sample: ComparedSample) -> Document:
    """Return a joined sample with its whole record in each run, by letter."""
    runs = {
        letter: None if of is None else sample_document(of)
        for letter, of in zip(letters, sample.samples, strict=True)
    }
    return {"dataset": sample.key[0], "id": sample.key[1], "runs": runs}


def joined_document(
    of: ComparedSamples, sample: ComparedSample, names: Sequence[str], higher: HigherIsBetter
) -> Document:
    """Return a joined sample with its scores, inputs and outputs in the baseline and candidate.

    Args:
        of: The comparison with the candidate.
        sample: The sample.
        names: The names of all scores.
        higher: Says of each score what is better.
    """
    one, other = _pair(of, sample)
    scores: dict[str, Document] = {}
    for name in names:
        what = score_outcome(one, other, name, higher)
        if what is not None:
            scores[name] = {
                "A": score_of(one, name)[1],
                of.letter: score_of(other, name)[1],
                "delta": score_delta(one, other, name),
                "outcome": _OUTCOMES[what],
            }
    return {
        "dataset": sample.key[0],
        "id": sample.key[1],
        "in": [letter for letter, in_run in (("A", one), (of.letter, other)) if in_run],
        "scores": scores,
        **{
            column: {
                letter: None if in_run is None else in_run.value(column)
                for letter, in_run in (("A", one), (of.letter, other))
            }
            for column in _TEXTS
        },
    }


def save_samples(
    runs: RunSet,
    of: ComparedSamples,
    numbers: Sequence[int],
    higher: HigherIsBetter,
    format_key: str,
    path: Path,
    progress: Progress,
) -> str:
    """Write joined samples to a file, and return what was written where, in words.

    Args:
        runs: The runs of the comparison.
        of: The comparison with the candidate.
        numbers: Which samples, in their order.
        higher: Says of each score what is better.
        format_key: `csv`, `jsonl` or `markdown`.
        path: The file.
        progress: Is called in this thread with (samples read, all samples), before each page and
            at the end.

    Raises:
        SaveFailed: The file cannot be written.
        StoreError: A run cannot be read.
        ReadCancelled: Nobody waits any more; then no file is left behind.
    """

    def pages() -> Iterator[ComparedSample]:
        for start in range(0, len(numbers), PAGE_SAMPLES):
            cancelling.check()
            progress(start, len(numbers))
            wanted = numbers[start : start + PAGE_SAMPLES]
            found = page(runs, of.samples, wanted, (0, of.candidate), sample_rows.WHOLE)
            yield from (found[number] for number in wanted if found[number].first is not None)
        progress(len(numbers), len(numbers))

    write = {"csv": _write_csv, "jsonl": _write_lines, "markdown": _write_markdown}[format_key]
    count = write_atomically(path, lambda out: write(of, pages(), higher, out))
    return f"{fmt.count(count, 'sample')} to {fmt.plain(str(path), 200)}"


def _pair(of: ComparedSamples, sample: ComparedSample) -> tuple[Sample | None, Sample | None]:
    return sample.samples[0], sample.samples[of.candidate]


def _write_lines(
    of: ComparedSamples, samples: Iterator[ComparedSample], higher: HigherIsBetter, out: TextIO
) -> int:
    count, names = 0, list(of.pairs)
    for sample in samples:
        out.write(f"{json_line(joined_document(of, sample, names, higher))}\n")
        count += 1
    return count


def _write_csv(
    of: ComparedSamples, samples: Iterator[ComparedSample], higher: HigherIsBetter, out: TextIO
) -> int:
    written = csv.writer(out, lineterminator="\n")
    count, names = 0, list(of.pairs)
    heads = ["dataset", "id"]
    for name in names:
        heads += [f"{name} A", f"{name} {of.letter}", f"{name} outcome"]
    heads += [f"{column} {letter}" for column in _TEXTS for letter in ("A", of.letter)]
    written.writerow(map(csv_text, heads))
    for sample in samples:
        one, other = _pair(of, sample)
        cells = [csv_text(part) for part in sample.key]
        for name in names:
            what = score_outcome(one, other, name, higher)
            scores = (score_of(of_run, name) for of_run in (one, other))
            cells += [csv_value_text(value) if has else "" for has, value in scores]
            cells.append("" if what is None else _OUTCOMES[what])
        texts = [
            None if of_run is None else of_run.value(column)
            for column in _TEXTS
            for of_run in (one, other)
        ]
        written.writerow([*cells, *map(_csv, texts)])
        count += 1
    return count


def _csv(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return csv_text(value)
    text = json_line(value)
    # NaN and infinities are JSON strings here, and lose their quotes.
    return text.strip('"') if isinstance(value, float) else text


def _write_markdown(
    of: ComparedSamples, samples: Iterator[ComparedSample], higher: HigherIsBetter, out: TextIO
) -> int:
    count, names = 0, list(of.pairs)
    heads = ["", "id", *names, "input", "output A", f"output {of.letter}"]
    out.write(markdown_head([markdown_text(head) for head in heads]))
    for sample in samples:
        one, other = _pair(of, sample)
        found = [score_outcome(one, other, name, higher) for name in names]
        changes = [_change(one, other, name, what) for name, what in zip(names, found, strict=True)]
        outputs = (None if of_run is None else of_run.outputs for of_run in (one, other))
        texts = [_input(one, other), *map(_short, outputs)]
        cells = [_mark(one, other, found, of.letter), sample.key[1], *changes, *texts]
        out.write(markdown_row([markdown_text(cell) for cell in cells]))
        count += 1
    return count


def _mark(
    one: Sample | None, other: Sample | None, found: Sequence[Outcome | None], letter: str
) -> str:
    if one is None or other is None:
        return f"only {'A' if other is None else letter}"
    if Outcome.REGRESSED in found:
        return "✗ worse"
    if Outcome.IMPROVED in found:
        return "✓ better"
    return "changed" if {*found} - {Outcome.SAME, None} else ""


def _change(one: Sample | None, other: Sample | None, name: str, what: Outcome | None) -> str:
    if what is None:
        return ""
    before, after = short_score(one, name), short_score(other, name)
    return after if what is Outcome.SAME and before == after else f"{before} → {after}"


def _input(one: Sample | None, other: Sample | None) -> str:
    """Return the input of a sample; both if they differ."""
    texts = [_short(of.inputs) for of in (one, other) if of is not None]
    return " → ".join(dict.fromkeys(texts))


def _short(value: JsonValue) -> str:
    if value is None:
        return ""
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    return value if isinstance(value, str) else json_line(value)
